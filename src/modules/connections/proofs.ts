import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { Tx } from "#src/core/tx.ts";
import type { ConnectionStore, Proof } from "./store.ts";

/** Proofs are written down so often, all together; an account is called connected for five minutes after one. */
const WRITE_MS = 60_000;

interface Needs {
  store: Pick<ConnectionStore, "prove">;
  clock: Clock;
  log: Log;
  write(work: (tx: Tx) => Promise<void>): Promise<void>;
}

/** How one account proves that it is connected. */
export interface Prover {
  proved(): void;
  failed(reason: string): void;
}

/** Keeps the last round trip of each account, and why there is none: at once when that changes, else every minute. */
export function createProofs({ store, clock, log, write }: Needs) {
  const pending = new Map<string, Proof>();
  let cancel: (() => void) | undefined;
  let flushed: Promise<void> = Promise.resolve();

  function later(proof: Proof, ms: number): void {
    const key = `${proof.env_id} ${proof.account_id}`;
    pending.set(key, { ...proof, proof_at: proof.proof_at ?? pending.get(key)?.proof_at ?? null });
    if (ms === 0) {
      cancel?.();
      cancel = undefined;
    }
    cancel ??= clock.at(clock.now() + ms, () => {
      cancel = undefined;
      void flush();
    });
  }

  /** One writing after another. Resolves once all that is there at the call is written. */
  const flush = (): Promise<void> => (flushed = flushed.then(writePending));

  async function writePending(): Promise<void> {
    const proofs = [...pending.values()];
    if (proofs.length === 0) return;
    pending.clear();
    await write((tx) => store.prove(tx, proofs)).catch((error: unknown) => {
      log.warn("what was proved of connections could not be written; the next proof will be", { error });
    });
  }

  return {
    of(place: { env_id: number; account_id: number }): Prover {
      /** As it was told last. */
      let error: string | null | undefined;
      return {
        proved() {
          const proof: Proof = { ...place, proof_at: clock.now(), error: null, error_at: null };
          later(proof, error === null ? WRITE_MS : 0);
          error = null;
        },
        failed(reason) {
          if (reason === error) return;
          error = reason;
          later({ ...place, proof_at: null, error: reason, error_at: clock.now() }, 0);
        },
      };
    },
    async stop(): Promise<void> {
      cancel?.();
      cancel = undefined;
      await flush();
    },
  };
}
