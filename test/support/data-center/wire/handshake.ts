import { bigint, u8 } from "@fuman/utils";
import { Long, type mtp } from "@mtcute/core";
import { generateKeyAndIvFromNonce, type IEncryptionScheme } from "@mtcute/core/utils.js";
import { readerOf } from "#test/support/data-center/tl/read.ts";
import { serialize, write } from "#test/support/data-center/tl/write.ts";
import { crypto } from "./crypto.ts";
import { GENERATOR, power, PRIME_BYTES } from "./diffie-hellman.ts";
import { hex, isEqual, longOf, random, sha1, sha256 } from "./hash.ts";
import { createMessageIds } from "./message-id.ts";
import type { ServerKey } from "./server-key.ts";

/** A key on which both sides agree. */
export interface AgreedKey {
  id: string;
  bytes: Uint8Array;
  isTemporary: boolean;
  salt: Long;
}

/** One connection's exchange of a key. See https://core.telegram.org/mtproto/auth_key */
export interface Handshake {
  /** @returns the packet that answers this one. @throws Error if the client makes a mistake */
  answer(packet: Uint8Array): Uint8Array;
}

type Request = mtp.RawMt_req_pq_multi | mtp.RawMt_req_DH_params | mtp.RawMt_set_client_DH_params;

const [PQ, P, Q] = ["17ED48941A08F981", "494c553b", "53911073"];
const PLAIN_HEAD_BYTES = 20;

export function createHandshake(serverKey: ServerKey, onAgreed: (key: AgreedKey) => void): Handshake {
  const nextMessageId = createMessageIds();
  let serverNonce: Uint8Array = new Uint8Array();
  let exponent = 0n;
  let nonce: Uint8Array = new Uint8Array();
  let newNonce: Uint8Array = new Uint8Array();
  let isTemporary = false;
  let scheme: IEncryptionScheme | undefined;

  const offerKeys = (request: mtp.RawMt_req_pq_multi): mtp.RawMt_resPQ => {
    // A client agrees on a temporary key after the permanent one, over the same connection.
    serverNonce = random(16);
    exponent = bigint.fromBytes(random(256));
    nonce = new Uint8Array(request.nonce);
    return { _: "mt_resPQ", nonce, serverNonce, pq: Buffer.from(PQ, "hex"), serverPublicKeyFingerprints: [serverKey.fingerprint] };
  };

  const offerParameters = (request: mtp.RawMt_req_DH_params): mtp.RawMt_server_DH_params_ok => {
    if (hex(request.p) !== P || hex(request.q) !== Q) throw new Error("wrong factors");
    const inner = readerOf(openRsaPad(serverKey, request.encryptedData)).object() as mtp.TypeP_Q_inner_data;
    newNonce = new Uint8Array(inner.newNonce);
    isTemporary = inner._ === "mt_p_q_inner_data_temp_dc";
    const [key, iv] = generateKeyAndIvFromNonce(crypto, serverNonce, newNonce);
    scheme = crypto.createAesIge(key, iv);
    const offer: mtp.RawMt_server_DH_inner_data = {
      _: "mt_server_DH_inner_data",
      nonce,
      serverNonce,
      g: Number(GENERATOR),
      dhPrime: PRIME_BYTES,
      gA: bigint.toBytes(power(GENERATOR, exponent), 256),
      serverTime: Math.floor(Date.now() / 1000),
    };
    const written = serialize(offer);
    const hashed = u8.concat2(sha1(written), written);
    const padded = u8.concat2(hashed, random((16 - (hashed.length % 16)) % 16));
    return { _: "mt_server_DH_params_ok", nonce, serverNonce, encryptedAnswer: scheme.encrypt(padded) };
  };

  const agree = (request: mtp.RawMt_set_client_DH_params): mtp.TypeSet_client_DH_params_answer => {
    if (scheme === undefined) throw new Error("parameters that were not asked for");
    const decrypted = scheme.decrypt(request.encryptedData);
    const reader = readerOf(decrypted, 20);
    const inner = reader.object() as mtp.RawMt_client_DH_inner_data;
    if (!isEqual(sha1(decrypted.subarray(20, reader.pos)), decrypted.subarray(0, 20))) throw new Error("a wrong hash of parameters");
    const bytes = bigint.toBytes(power(bigint.fromBytes(inner.gB), exponent), 256);
    // mtcute does not pad such a key (1 in 256), so its hashes would differ from ours: let it choose another.
    const isShort = bytes[0] === 0;
    const hash = sha1(isShort ? bytes.subarray(bytes.findIndex((byte) => byte !== 0)) : bytes);
    const nonceHash = (number: number) => sha1(newNonce, Uint8Array.of(number), hash.subarray(0, 8)).subarray(4, 20);
    if (isShort) return { _: "mt_dh_gen_retry", nonce, serverNonce, newNonceHash2: nonceHash(2) };
    const salt = longOf(u8.xor(newNonce.slice(0, 8), serverNonce.slice(0, 8)));
    onAgreed({ id: hex(hash.subarray(12, 20)), bytes, isTemporary, salt });
    return { _: "mt_dh_gen_ok", nonce, serverNonce, newNonceHash1: nonceHash(1) };
  };

  const reply = (request: Request) => {
    switch (request._) {
      case "mt_req_pq_multi":
        return offerKeys(request);
      case "mt_req_DH_params":
        return offerParameters(request);
      case "mt_set_client_DH_params":
        return agree(request);
      default:
        throw new Error("a message without a key that is no part of a key exchange");
    }
  };
  return {
    answer(packet) {
      const body = serialize(reply(readerOf(packet, PLAIN_HEAD_BYTES).object() as Request));
      return write(PLAIN_HEAD_BYTES + body.length, (writer) => {
        writer.long(Long.ZERO);
        writer.long(nextMessageId(1));
        writer.uint(body.length);
        writer.raw(body);
      });
    },
  };
}

/** Undoes RSA_PAD: https://core.telegram.org/mtproto/auth_key#41-rsa-paddata-server-public-key-mentioned-above-is-implemented-as-follows */
function openRsaPad(serverKey: ServerKey, encrypted: Uint8Array): Uint8Array {
  const opened = serverKey.decrypt(encrypted);
  const aes = opened.subarray(32);
  const key = u8.xor(opened.subarray(0, 32), sha256(aes));
  const dataWithHash = crypto.createAesIge(key, new Uint8Array(32)).decrypt(aes);
  const data = dataWithHash.slice(0, 192).toReversed();
  if (!isEqual(sha256(key, data), dataWithHash.subarray(192, 224))) throw new Error("a wrong hash inside RSA_PAD");
  return data;
}
