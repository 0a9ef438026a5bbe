import { describe, expect, test } from "bun:test";
import type { Database } from "#db/database.ts";
import { AppError } from "#src/core/errors.ts";
import type { Page } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { type ImportTask, sendImport } from "#test/support/importing.ts";

const COUNT = 600;

const statusOf = async ({ live }: TestApp, id: string) => (await live.get<ImportTask>(`/v1/jobs/${id}`)).body.status;

/** A database that takes back the first try of each step of a long job, as a crash in the middle of it would. */
function breaking(db: Database): { db: Database; broken: Set<number> } {
  const broken = new Set<number>();
  const write: Database["write"] = (work) =>
    db.write(async (tx) => {
      const done = await work(tx);
      const task = await db.in(tx).selectFrom("tasks").select("steps").executeTakeFirst();
      if (task === undefined || task.steps === 0 || broken.has(task.steps)) return done;
      broken.add(task.steps);
      throw new AppError("unavailable", "taken back", { retryAfter: 1 });
    });
  return { db: { ...db, write }, broken };
}

describe.each(appEngines)("an import on %s", (engine) => {
  test("that is broken off in each of its steps loses no row, and makes none twice", async () => {
    let broken = new Set<number>();
    await using app = await setup({
      engine,
      wrapDatabase(db) {
        const wrapped = breaking(db);
        broken = wrapped.broken;
        return wrapped.db;
      },
    });
    const rows = Array.from({ length: COUNT }, (_, at) => (at % 50 === 7 ? `u${at},no address` : `u${at},p${at}@example.com`));
    const { body } = await sendImport(app, app.live, `external_id,email\n${rows.join("\n")}`, "mode=create");
    for (let turn = 0; turn < COUNT && (await statusOf(app, body.id)) !== "done"; turn++) await app.advance(1_000);
    expect(broken.size).toBeGreaterThan(1);
    const good = rows.filter((row) => !row.endsWith("no address"));
    const failed = COUNT - good.length;
    const task = (await app.live.get<ImportTask>(`/v1/jobs/${body.id}`)).body;
    expect(task).toMatchObject({ status: "done", result: { created: good.length, updated: 0, skipped: 0, failed } });
    const people = await app.db.read.selectFrom("contacts").select(["external_id", "number"]).orderBy("number").execute();
    expect(people.map(({ external_id }) => external_id)).toEqual(good.map((row) => row.slice(0, row.indexOf(","))));
    expect(people.map(({ number }) => number)).toEqual(people.map((_, at) => at + 1));
    expect((await app.live.get<Page<Contact>>("/v1/contacts")).body.total).toBe(good.length);
    const report = await app.live.get(`${task.result!.report}?format=ndjson`);
    expect(report.text.trim().split("\n").length).toBe(failed);
  });
});
