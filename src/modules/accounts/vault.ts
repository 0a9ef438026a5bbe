import type { Cipher } from "#src/core/cipher.ts";
import type { AccountRow, AccountStore } from "./store.ts";

const TRIED_MAX = 20;

type Place = Pick<AccountRow, "env_id" | "id">;

export type Vault = ReturnType<typeof createVault>;

/** The secrets of accounts, each sealed for its own place. */
export function createVault({ store, cipher }: { store: Pick<AccountStore, "someSealed">; cipher: Cipher }) {
  const tokenPlace = ({ env_id, id }: Place) => `account:${env_id}:${id}`;
  const proxyPlace = ({ env_id, id }: Place) => `proxy:${env_id}:${id}`;
  const sessionPlace = ({ env_id, id }: Place) => `session:${env_id}:${id}`;
  const openOrNull = (sealed: string | null, place: string) => (sealed === null ? null : cipher.open(sealed, place));

  function opens(sealed: string | null, at: string): boolean {
    try {
      return openOrNull(sealed, at) !== null;
    } catch {
      return false;
    }
  }

  return {
    sealToken: (row: Place, token: string) => cipher.seal(token, tokenPlace(row)),
    sealProxy: (row: Place, proxy: string) => cipher.seal(proxy, proxyPlace(row)),
    sealSession: (row: Place, session: string) => cipher.seal(session, sessionPlace(row)),
    openToken: (row: AccountRow) => openOrNull(row.token, tokenPlace(row)),
    openProxy: (row: AccountRow) => openOrNull(row.proxy, proxyPlace(row)),
    openSession: (row: Place, sealed: string | null) => openOrNull(sealed, sessionPlace(row)),

    /** @throws Error in words for the person who starts the program, when tokens and sessions were sealed with another secret */
    async trySecret(): Promise<void> {
      const rows = await store.someSealed(TRIED_MAX);
      // One that alone can't be opened is that account's misfortune, and no reason to stand still.
      if (rows.length === 0 || rows.some((row) => opens(row.token, tokenPlace(row)) || opens(row.session, sessionPlace(row)))) return;
      const advice = "set POSTHOUSE_SECRET, or put secret.key back into the data folder, as it was when the accounts were connected";
      throw new Error(`the accounts' tokens and sessions in the database can't be opened with this secret: ${advice}`);
    },
  };
}
