import { newId } from "#src/core/ids.ts";
import type { TestApp } from "./app.ts";

const BATCH = 500;

/** Puts contacts straight into the tables, in which an upsert of each would take its time. @param bytes about the size of each */
export async function addManyContacts({ db }: Pick<TestApp, "db">, env_id: number, count: number, bytes: number): Promise<void> {
  const metadata = JSON.stringify({ filling: "x".repeat(bytes) });
  for (let first = 1; first <= count; first += BATCH) {
    const rows = Array.from({ length: Math.min(BATCH, count + 1 - first) }, (_, at) => ({
      ...{ env_id, id: newId("ct"), number: first + at, external_id: `p${first + at}`, name: `Person ${first + at}`, sort_name: "person" },
      ...{ consent: null, tags: "[]", fields: "{}", metadata, created_at: 1_700_000_000_000, updated_at: 1_700_000_000_000 },
    }));
    await db.write(async (tx) => void (await db.in(tx).insertInto("contacts").values(rows).execute()));
  }
}
