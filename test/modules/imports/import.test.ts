import { describe, expect, test } from "bun:test";
import type { Page } from "#src/core/page.ts";
import { sweepImportsAt } from "#src/modules/imports/sweep.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Caller } from "#test/support/client.ts";
import { runImport, sendImport } from "#test/support/importing.ts";

const all = async (caller: Caller) => (await caller.get<Page<Contact>>("/v1/contacts?sort=created_at&limit=200")).body.items;
const reportOf = async (caller: Caller, path: string) => (await caller.get(path)).text;
const utf16 = (text: string) =>
  new Uint8Array([0xff, 0xfe, ...new Uint8Array(new Uint16Array(Array.from(text, (one) => one.charCodeAt(0))).buffer)]);

describe.each(appEngines)("an import on %s", (engine) => {
  test("takes a CSV in, and ends in one event", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/fields", { key: "plan", type: "text" });
    const file = "external_id,Name,E-Mail,tags,plan\r\nu1,Sarah Miller,sarah@example.com,a;b,pro\r\nu2,Tom,,,\r\n";
    const task = await runImport(app, app.live, file);
    const result = { created: 2, updated: 0, unchanged: 0, skipped: 0, failed: 0 };
    expect(task).toMatchObject({ kind: "contacts.import", status: "done", progress: { done: 2, total: 2 }, result });
    const sarah = { number: 1, external_id: "u1", name: "Sarah Miller", first_name: "Sarah", email: "sarah@example.com" };
    expect(await all(app.live)).toMatchObject([
      { ...sarah, tags: ["a", "b"], fields: { plan: "pro" } },
      { number: 2, external_id: "u2", name: "Tom", email: null, tags: [], fields: {} },
    ]);
    const events = (await app.live.get<Page<{ event: string }>>("/v1/events?limit=100")).body.items.map(({ event }) => event);
    expect(events).toEqual(["job.completed"]);
    for (const filter of ["search=sarah", "tag=a", "field=plan:pro"])
      expect([filter, (await app.live.get<Page<Contact>>(`/v1/contacts?${filter}`)).body.total]).toEqual([filter, 1]);
    expect((await app.live.get<Page<Contact>>("/v1/contacts")).body.total).toBe(2);
  });

  test("takes NDJSON in, where null clears", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "u1", email: "old@example.com", name: "Sarah" });
    const lines = [
      { external_id: "u1", email: null, tags: ["x"] },
      { Key: "u2", Mail: "b@example.com", note: 1 },
    ].map((one) => JSON.stringify(one));
    const mapping = encodeURIComponent(JSON.stringify({ Key: "external_id", Mail: "email", note: null }));
    const task = await runImport(app, app.live, `${lines[0]}\r\n\n${lines[1]}`, `mode=upsert&mapping=${mapping}`, "ndjson");
    expect(task.result).toMatchObject({ created: 1, updated: 1, failed: 0 });
    expect(await all(app.live)).toMatchObject([
      { external_id: "u1", email: null, name: "Sarah", tags: ["x"] },
      { external_id: "u2", email: "b@example.com" },
    ]);
  });

  test("lets people exchange what tells them apart, by way of nothing", async () => {
    await using app = await setup({ engine });
    for (const person of [
      { external_id: "a", username: "name_a" },
      { external_id: "b", username: "name_b" },
    ])
      await app.live.post("/v1/contacts", person);
    const lines = [
      { external_id: "a", username: null },
      { external_id: "b", username: "name_a" },
      { external_id: "a", username: "name_b" },
      { external_id: "b", username: null },
      { external_id: "c", username: "name_a" },
    ];
    const task = await runImport(app, app.live, lines.map((one) => JSON.stringify(one)).join("\n"), "mode=upsert", "ndjson");
    expect(task).toMatchObject({ status: "done", result: { created: 1, updated: 4, failed: 0 } });
    expect((await all(app.live)).map(({ username }) => username)).toEqual(["name_b", null, "name_a"]);
  });

  test("takes no name for what every object has", async () => {
    await using app = await setup({ engine });
    const lines = ['{"external_id":"a","__proto__":{"email":"a@example.com"}}', '{"external_id":"b","constructor":1}'];
    const task = await runImport(app, app.live, lines.join("\n"), "mode=upsert", "ndjson");
    expect(task).toMatchObject({ status: "done", result: { created: 0, failed: 2 } });
    expect(await reportOf(app.live, task.result!.report!)).toContain("__proto__");
  });

  test("reads a table as a spreadsheet writes it", async () => {
    await using app = await setup({ engine });
    const file =
      '\ufeff"External ID";First Name;"Last, Name";tags;;\r\nu1;"Anna\r\nMaria";O\'Neil;"a;b";;\r\n;;;;;\r\nu2;"He said ""hi""";;;;\r\n';
    const mapping = encodeURIComponent(JSON.stringify({ "Last, Name": "last_name" }));
    const task = await runImport(app, app.live, file, `mode=upsert&mapping=${mapping}`);
    expect(task.result).toMatchObject({ created: 2, failed: 0 });
    expect(await all(app.live)).toMatchObject([
      { external_id: "u1", name: "Anna Maria O'Neil", tags: ["a", "b"] },
      { external_id: "u2", name: 'He said "hi"' },
    ]);
  });

  test("makes, changes or both, as its mode says", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "u1", name: "Old" });
    const file = "external_id,name\nu1,New\nu2,Other\n";
    expect((await runImport(app, app.live, file, "mode=create")).result).toMatchObject({ created: 1, updated: 0, skipped: 1, failed: 0 });
    expect((await all(app.live)).map(({ name }) => name)).toEqual(["Old", "Other"]);
    const again = "external_id,name\nu1,New\nu3,Nobody\n";
    expect((await runImport(app, app.live, again, "mode=update")).result).toMatchObject({ created: 0, updated: 1, skipped: 1, failed: 0 });
    expect((await all(app.live)).map(({ name }) => name)).toEqual(["New", "Other"]);
    const both = "external_id,name\nu1,New\nu3,Third\n";
    expect((await runImport(app, app.live, both)).result).toMatchObject({ created: 1, updated: 1, unchanged: 1, skipped: 0 });
  });

  test("lets the later of two rows about one person change what the earlier one made", async () => {
    await using app = await setup({ engine });
    const rows = Array.from({ length: 300 }, (_, at) => `u${at},a${at}@example.com,First`);
    const file = ["external_id,email,name", "u0,a0@example.com,Zero", ...rows, "u0,b@example.com,Last", ",a1@example.com,By mail", ""].join(
      "\n",
    );
    const task = await runImport(app, app.live, file);
    expect(task.result).toMatchObject({ created: 300, updated: 3, failed: 0 });
    const people = await all(app.live);
    expect(people[0]).toMatchObject({ number: 1, external_id: "u0", email: "b@example.com", name: "Last" });
    expect(people[1]).toMatchObject({ number: 2, external_id: "u1", name: "By mail" });
  });

  test("reports the rows that it can't take, and takes the others", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "a", email: "a@example.com" });
    await app.live.post("/v1/contacts", { external_id: "b", email: "b@example.com" });
    const rows = ["ok,ok@example.com,", "a,b@example.com,", '"x\ny",nobody,', "t,t@example.com,NaN", "last,last@example.com,5"];
    const task = await runImport(app, app.live, `external_id,email,telegram_id\n${rows.join("\n")}\n`);
    expect(task.result).toMatchObject({ created: 2, failed: 3, report: `/v1/imports/${task.id}/report` });
    const lines = (await reportOf(app.live, `${task.result!.report}?format=ndjson`)).trim().split("\n");
    expect(lines.map((line) => JSON.parse(line) as object)).toMatchObject([
      { line: 3, code: "conflict", field: null },
      { line: 4, code: "validation_error", field: "email" },
      { line: 6, code: "validation_error", field: "telegram_id" },
    ]);
    const csv = await reportOf(app.live, task.result!.report!);
    expect(csv.split("\r\n")[0]).toBe("line,code,field,message");
    expect(csv).not.toContain("nobody");
    expect((await app.sandbox.get(task.result!.report!)).status).toBe(404);
  });

  test("reports lines that are no objects", async () => {
    await using app = await setup({ engine });
    const deep = `{"metadata":${"[".repeat(150)}${"]".repeat(150)}}`;
    const lines = ['{"external_id":"a"}', "{nonsense", "[1]", '{"external_id":"b\\u0000"}', deep, '{"external_id":"c","colour":"red"}'];
    const task = await runImport(app, app.live, lines.join("\n"), "mode=upsert", "ndjson");
    expect(task.result).toMatchObject({ created: 1, failed: 5 });
    const report = (await reportOf(app.live, `${task.result!.report}?format=ndjson`)).trim().split("\n");
    expect(report.map((line) => (JSON.parse(line) as { line: number }).line)).toEqual([2, 3, 4, 5, 6]);
  });

  test("refuses a file whose columns it does not know before anything is written", async () => {
    await using app = await setup({ engine });
    const refused = async (file: string | Uint8Array, query = "mode=upsert") => {
      const { status, body } = await sendImport(app, app.live, file, query);
      return [status, body.code, body.message];
    };
    const of = (mapping: object) => `mode=upsert&mapping=${encodeURIComponent(JSON.stringify(mapping))}`;
    const [status, code, message] = await refused("external_id,emial\nu1,x@y.example\n");
    expect([status, code]).toEqual([422, "validation_error"]);
    expect(message).toContain("emial");
    expect(message).toContain("Is it email?");
    expect(await refused("email,E-Mail\na@b.example,\n")).toMatchObject([422, "validation_error", expect.stringContaining("both")]);
    expect(await refused("email\n", of({ email: "e-mail" }))).toMatchObject([422, "validation_error", expect.anything()]);
    expect(await refused("email\n", of({ mail: "email" }))).toMatchObject([
      422,
      "validation_error",
      expect.stringContaining("no column mail"),
    ]);
    expect(await refused("email\n", "mode=upsert&mapping=[1]")).toMatchObject([422, "validation_error", expect.anything()]);
    expect(await refused("email\n", "mode=replace")).toMatchObject([422, "validation_error", expect.anything()]);
    expect(await refused("")).toMatchObject([422, "validation_error", "The file is empty."]);
    expect(await refused(utf16("email\na@b.example\n"))).toMatchObject([400, "bad_request", expect.stringContaining("UTF-16")]);
    expect(await refused(new Uint8Array([101, 109, 97, 105, 108, 10, 0xff, 10]))).toMatchObject([
      400,
      "bad_request",
      expect.stringContaining("UTF-8"),
    ]);
    expect(await refused("email\na\0b\n")).toMatchObject([400, "bad_request", expect.stringContaining("NUL")]);
    const { status: typed } = await sendImport(app, app.live, "email\n", "mode=upsert", "csv", { "content-type": "application/json" });
    expect(typed).toBe(415);
    expect((await sendImport(app, app.live, "x", "mode=upsert", "csv", { "content-encoding": "gzip" })).status).toBe(415);
    await app.settled();
    for (const table of ["imports", "import_chunks", "tasks", "contacts"] as const)
      expect([table, (await app.db.read.selectFrom(table).selectAll().execute()).length]).toEqual([table, 0]);
  });

  test("tells a dry run's differences, and writes nothing", async () => {
    await using app = await setup({ engine });
    await app.live.post("/v1/contacts", { external_id: "u1", name: "Old", tags: ["a"] });
    const before = await all(app.live);
    const file = "external_id,name,tags,email\nu1,New,b,\nu2,Second,,\nu3,,,nonsense\n";
    const task = await runImport(app, app.live, file, "mode=upsert&dry_run=true");
    expect(task.result).toMatchObject({ created: 1, updated: 1, failed: 1, sample: `/v1/imports/${task.id}/sample` });
    expect((await app.live.get<{ items: object[] }>(task.result!.sample!)).body.items).toMatchObject([
      {
        line: 2,
        change: "updated",
        contact_id: before[0]!.id,
        members: { name: { before: "Old", after: "New" }, tags: { before: ["a"], after: ["a", "b"] } },
      },
      {
        line: 3,
        change: "created",
        contact_id: null,
        members: { external_id: { before: null, after: "u2" }, name: { before: null, after: "Second" } },
      },
    ]);
    expect(await all(app.live)).toEqual(before);
    expect((await app.live.post<{ code: string }>(`/v1/imports/${task.id}/undo`)).body.code).toBe("conflict");
  });

  test("answers a repeated request with the first job, and drops the second file", async () => {
    await using app = await setup({ engine });
    const key = { "idempotency-key": "once" };
    const first = await sendImport(app, app.live, "external_id\nu1\n", "mode=upsert", "csv", key);
    const second = await sendImport(app, app.live, "external_id\nu1\n", "mode=upsert", "csv", key);
    expect([second.status, second.body.id, second.headers.get("idempotency-replayed")]).toEqual([202, first.body.id, "true"]);
    expect((await sendImport(app, app.live, "external_id\nu2\n", "mode=upsert", "csv", key)).status).toBe(409);
    expect((await sendImport(app, app.live, "external_id\nu1\n", "mode=create", "csv", key)).status).toBe(409);
    await app.settled();
    expect((await all(app.live)).length).toBe(1);
    expect((await app.db.read.selectFrom("imports").selectAll().execute()).length).toBe(1);
    expect(await app.db.read.selectFrom("import_chunks").select("seq").execute()).toEqual([]);
  });

  test("goes over parts of a file wherever a character or a quoted cell is cut", async () => {
    await using app = await setup({ engine });
    const long = "ё".repeat(60);
    const rows = Array.from({ length: 2_500 }, (_, at) => `u${at},"${long}, ""${at}""\n${long}"`);
    const bytes = new TextEncoder().encode(`external_id,name\n${rows.join("\n")}`);
    let at = 0;
    const file = new ReadableStream<Uint8Array>({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, (at += 4_999)));
      },
    });
    const { body } = await sendImport(app, app.live, file, "mode=upsert");
    await app.settled();
    const task = (await app.live.get<{ result: object; progress: object }>(`/v1/jobs/${body.id}`)).body;
    expect(task).toMatchObject({ status: "done", result: { created: 2_500, failed: 0 }, progress: { done: 2_500, total: 2_500 } });
    const last = await app.live.get<Page<Contact>>("/v1/contacts?limit=1");
    expect(last.body.items[0]).toMatchObject({ external_id: "u2499", name: `${long}, "2499" ${long}` });
  });

  test("ends where a quote has no end, and keeps what was before it", async () => {
    await using app = await setup({ engine });
    const file = `external_id,name\nu1,One\nu2,"${"never ends ".repeat(120_000)}`;
    const task = await runImport(app, app.live, file);
    expect(task).toMatchObject({ status: "failed", error: { code: "bad_request" }, result: { created: 1 } });
    await app.settled();
    expect(await app.db.read.selectFrom("import_chunks").select("seq").execute()).toEqual([]);
  });

  test("is swept where its upload broke off, and 30 days after its end", async () => {
    await using app = await setup({ engine });
    const task = await runImport(app, app.live, "external_id,email\nu1,x\n");
    const broken = new ReadableStream<Uint8Array>({
      pull(controller) {
        controller.enqueue(new TextEncoder().encode("external_id\n" + "u\n".repeat(200_000)));
        controller.error(new Error("gone"));
      },
    });
    expect((await sendImport(app, app.live, broken, "mode=upsert")).status).toBe(400);
    await app.settled();
    expect((await app.db.read.selectFrom("imports").select("job_id").execute()).map(({ job_id }) => job_id)).toEqual([task.id]);
    await app.leap(31 * 24 * 3_600_000);
    await runImport(app, app.live, 'external_id\n"never');
    await app.db.write((tx) => app.services.loop.enqueue(tx, sweepImportsAt(app.clock.now())));
    await app.settled();
    expect((await app.live.get(`/v1/imports/${task.id}/report`)).status).toBe(404);
    expect(await app.db.read.selectFrom("import_failures").select("line").execute()).toEqual([]);
  });

  test("can be canceled, and what it has done stays", async () => {
    await using app = await setup({ engine });
    await app.services.loop.stop();
    const { body } = await sendImport(app, app.live, "external_id\nu1\n", "mode=upsert");
    expect((await app.live.post(`/v1/jobs/${body.id}/cancel`)).status).toBe(200);
    await app.services.loop.start();
    await app.settled();
    expect(await all(app.live)).toEqual([]);
    expect(await app.db.read.selectFrom("import_chunks").select("seq").execute()).toEqual([]);
  });
});
