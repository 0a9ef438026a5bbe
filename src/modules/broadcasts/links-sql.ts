import type { Database } from "#db/database.ts";
import type { TrackedLinkRow } from "#db/schema-broadcasts.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

interface Recipient {
  env_id: number;
  broadcast_id: string;
  contact_id: string;
}

/** Links that go by way of us. */
export function createLinkStore(db: Database) {
  const add = db.prepare<TrackedLinkRow>((q, v) =>
    q.insertInto("tracked_links").values({
      token: v("token"),
      env_id: v("env_id"),
      broadcast_id: v("broadcast_id"),
      contact_id: v("contact_id"),
      variant: v("variant"),
      address: v("address"),
      clicked_at: v("clicked_at"),
      created_at: v("created_at"),
    }),
  );
  // Whoever opens one shows its token, and nothing that would tell the environment.
  const find = db.prepare<{ token: string }, TrackedLinkRow>((q, v) =>
    q.selectFrom("tracked_links").selectAll().where("token", "=", v("token")),
  );
  const open = db.prepare<{ env_id: number; token: string; clicked_at: number }>((q, v) =>
    q
      .updateTable("tracked_links")
      .set({ clicked_at: v("clicked_at") })
      .where("env_id", "=", v("env_id"))
      .where("token", "=", v("token"))
      .where("clicked_at", "is", null),
  );
  const click = db.prepare<Recipient & { clicked_at: number }>((q, v) =>
    q
      .updateTable("broadcast_recipients")
      .set({ clicked_at: v("clicked_at") })
      .where("env_id", "=", v("env_id"))
      .where("broadcast_id", "=", v("broadcast_id"))
      .where("contact_id", "=", v("contact_id"))
      .where("clicked_at", "is", null),
  );
  return {
    addLink: (tx: Tx, row: TrackedLinkRow): void => add.later(tx, row),
    link: (token: string): Maybe<TrackedLinkRow | undefined> => find.one(null, { token }),
    /** @returns whether it was not opened before */
    openLink: async (tx: Tx, { env_id, token }: TrackedLinkRow, clicked_at: number): Promise<boolean> =>
      (await open.run(tx, { env_id, token, clicked_at })) > 0,
    /** @returns whether it is the first link that the recipient has opened */
    click: async (tx: Tx, { env_id, broadcast_id, contact_id }: Recipient, clicked_at: number): Promise<boolean> =>
      (await click.run(tx, { env_id, broadcast_id, contact_id, clicked_at })) > 0,
  };
}
