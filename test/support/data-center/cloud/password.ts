import { bigint, u8 } from "@fuman/utils";
import type { Long, tl } from "@mtcute/core";
import { computeNewPasswordHash } from "@mtcute/core/utils.js";
import { make } from "#test/support/data-center/tl/make.ts";
import { crypto } from "#test/support/data-center/wire/crypto.ts";
import { GENERATOR, GENERATOR_BYTES, power, PRIME, PRIME_BYTES } from "#test/support/data-center/wire/diffie-hellman.ts";
import { isEqual, random, randomLong, sha256 } from "#test/support/data-center/wire/hash.ts";

type Algorithm = tl.RawPasswordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow;

/** A password for two-step verification. See https://core.telegram.org/api/srp */
export interface Password {
  algorithm: Algorithm;
  hint: string;
  /** Takes a tenth of a second the first time. */
  verifier(): Promise<bigint>;
}

/** One attempt to prove that a client knows the password. */
export interface Challenge {
  exponent: bigint;
  b: Uint8Array;
  id: Long;
}

export function createPassword(text: string, hint = ""): Password {
  const algorithm: Algorithm = {
    _: "passwordKdfAlgoSHA256SHA256PBKDF2HMACSHA512iter100000SHA256ModPow",
    salt1: random(8),
    salt2: random(16),
    g: Number(GENERATOR),
    p: PRIME_BYTES,
  };
  let verifier: Promise<bigint> | undefined;
  return {
    algorithm,
    hint,
    verifier: () => (verifier ??= computeNewPasswordHash(crypto, algorithm, text).then((hash) => bigint.fromBytes(hash))),
  };
}

export async function challenge(password: Password): Promise<Challenge> {
  const exponent = bigint.fromBytes(random(256));
  const multiplier = bigint.fromBytes(sha256(PRIME_BYTES, GENERATOR_BYTES));
  const b = (multiplier * (await password.verifier()) + power(GENERATOR, exponent)) % PRIME;
  return { exponent, b: bigint.toBytes(b, 256), id: randomLong() };
}

/** Whether the proof was made with the password, for this challenge. */
export async function isProven(password: Password, { exponent, b }: Challenge, proof: tl.RawInputCheckPasswordSRP): Promise<boolean> {
  const { salt1, salt2 } = password.algorithm;
  const scrambler = bigint.fromBytes(sha256(proof.A, b));
  const shared = power((bigint.fromBytes(proof.A) * power(await password.verifier(), scrambler)) % PRIME, exponent);
  const primeAndGenerator = u8.xor(sha256(PRIME_BYTES), sha256(GENERATOR_BYTES));
  const expected = sha256(primeAndGenerator, sha256(salt1), sha256(salt2), proof.A, b, sha256(bigint.toBytes(shared, 256)));
  return isEqual(expected, proof.M1);
}

/** What a client is told about the password before it is asked for. */
export function presentPassword(password?: Password, asked?: Challenge): tl.account.RawPassword {
  return make("account.password", {
    hasPassword: password !== undefined,
    currentAlgo: password?.algorithm,
    hint: password?.hint,
    srpB: asked?.b,
    srpId: asked?.id,
    newAlgo: { _: "passwordKdfAlgoUnknown" },
    newSecureAlgo: { _: "securePasswordKdfAlgoUnknown" },
    secureRandom: random(32),
  });
}
