import { beforeAll, describe, expect, test } from "bun:test";
import { sql } from "kysely";
import { join } from "node:path";
import type { Database } from "#db/database.ts";
import { NewerDatabaseError, backupSqlite, migrate, readSchemaVersion, schemaVersion } from "#db/migrate.ts";
import { openDatabase } from "#db/open.ts";
import { silentLog } from "#src/core/log.ts";
import { STARTUP_MS_MAX, engines, freshDatabase } from "#test/support/databases.ts";
import { rejectionOf } from "#test/support/rejection.ts";
import { tempFolder } from "#test/support/temp-folder.ts";

const options = { now: 1, backupPath: () => "not needed" };

function noteMigration(db: Database, number: number) {
  return db.write((tx) =>
    sql`insert into migrations (number, name, applied_at) values (${number}, 'from the future', 1)`.execute(db.in(tx)),
  );
}

describe.each(engines())("migrations on %s", (engine) => {
  beforeAll(async () => {
    await using first = await freshDatabase(engine);
    expect(first.db).toBeDefined();
  }, STARTUP_MS_MAX);

  test("an empty database gets the whole schema, and a second run finds nothing to do", async () => {
    await using fresh = await freshDatabase(engine, { migrated: false });
    expect(await readSchemaVersion(fresh.db)).toBe(0);
    expect((await migrate(fresh.db, options)).length).toBeGreaterThan(1);
    expect(await readSchemaVersion(fresh.db)).toBe(schemaVersion);
    expect(await migrate(fresh.db, options)).toEqual([]);
    expect(await fresh.db.read.selectFrom("messages").selectAll().execute()).toEqual([]);
  });

  test("a database that a newer executable wrote is refused, with what to do", async () => {
    await using fresh = await freshDatabase(engine);
    await noteMigration(fresh.db, schemaVersion + 1);
    const refused = await migrate(fresh.db, options).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(NewerDatabaseError);
    expect((refused as Error).message).toContain("run the newer posthouse");
  });
});

describe.each(engines().filter((engine) => engine !== "pglite"))("migrations by several on %s", (engine) => {
  test("programs that start at once migrate once", async () => {
    await using fresh = await freshDatabase(engine, { migrated: false });
    const others = [1, 2, 3].map(() => openDatabase(fresh.url ?? "", silentLog));
    await Promise.all([fresh.db, ...others].map((db) => migrate(db, options)));
    const { rows } = await sql<{ number: number; times: number }>`
      select number, count(*) as times from migrations group by number order by number desc
    `.execute(fresh.db.read);
    expect([rows[0]?.number, rows.filter(({ times }) => times !== 1)]).toEqual([schemaVersion, []]);
    await Promise.all(others.map((db) => db.close()));
  });
});

describe.each(engines().filter((engine) => engine !== "sqlite"))("migrations beside other programs on %s", (engine) => {
  test("another schema's table of migrations is not ours", async () => {
    await using fresh = await freshDatabase(engine, { migrated: false });
    await fresh.db.write(async (tx) => {
      await sql`create schema if not exists another`.execute(fresh.db.in(tx));
      await sql`create table if not exists another.migrations (number integer)`.execute(fresh.db.in(tx));
    });
    expect(await readSchemaVersion(fresh.db)).toBe(0);
  });
});

describe("the backup of a SQLite file", () => {
  test("is a whole database in one file, made beside running writes", async () => {
    using folder = tempFolder();
    await using fresh = await freshDatabase("sqlite");
    const put = (name: string) => fresh.db.write((tx) => fresh.db.in(tx).insertInto("counters").values({ name, value: 1 }).execute());
    await put("before");
    const path = join(folder.path, "copy.db");
    await Promise.all([backupSqlite(fresh.db, path), ...Array.from({ length: 20 }, (_, i) => put(`during-${i}`))]);
    const copy = openDatabase(`sqlite:${path}`, silentLog);
    expect(await readSchemaVersion(copy)).toBe(schemaVersion);
    expect(await copy.read.selectFrom("counters").select("name").where("name", "=", "before").execute()).toEqual([{ name: "before" }]);
    await copy.close();
  });

  test("never overwrites a file", async () => {
    using folder = tempFolder();
    await using fresh = await freshDatabase("sqlite");
    const path = join(folder.path, "copy.db");
    await backupSqlite(fresh.db, path);
    expect(String(await rejectionOf(backupSqlite(fresh.db, path)))).toContain("exists already");
  });
});
