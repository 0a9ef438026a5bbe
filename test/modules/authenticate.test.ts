import { describe, expect, test } from "bun:test";
import { createAuthenticator } from "#src/modules/keys/authenticate.ts";
import { createKeyStore } from "#src/modules/keys/store.ts";
import { setup } from "#test/support/app.ts";

describe("a key that is revoked while it is being looked up", () => {
  test("is not taken for valid afterwards", async () => {
    await using app = await setup();
    const { key } = await app.makeKey(app.live);
    const store = createKeyStore(app.db);
    const [asked, answered] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
    let slow = true;
    // The real store, once at a moment of our choosing.
    const byHash = async (hash: string) => {
      const row = await store.byHash(hash);
      if (slow) {
        asked.resolve();
        await answered.promise;
      }
      return row;
    };
    const authenticator = createAuthenticator({ store: { ...store, byHash }, clock: app.clock, mayCache: true, noteUse: () => {} });
    const first = authenticator.authenticate(key, "127.0.0.1");
    await asked.promise;
    await app.db.write((tx) =>
      app.db.in(tx).updateTable("keys").set({ revoked_at: app.clock.now() }).where("env_id", "=", app.live.env_id).execute(),
    );
    authenticator.forget();
    slow = false;
    answered.resolve();
    await first;
    expect(await authenticator.authenticate(key, "127.0.0.1")).toBeNull();
  });
});
