import { describe, expect, test } from "bun:test";
import type { BatchAnswer } from "#src/modules/messages/model.ts";
import { appEngines, setup } from "#test/support/app.ts";
import type { Answer, Caller } from "#test/support/client.ts";
import { queue, read, sendTo } from "#test/support/sending.ts";

interface Refused {
  code: string;
  detail: string;
  details: { field: string; error: string }[];
}

async function template(caller: Caller, body: string, name = "Reminder"): Promise<string> {
  return (await caller.post<{ id: string }>("/v1/templates", { name, body })).body.id;
}

/** A message by a template has no text of its own. */
const by = (template_id: string, variables?: Record<string, string | number | boolean>) => ({ text: undefined, template_id, variables });

const faultOf = ({ status, body }: Answer<unknown>) => {
  const [first] = (body as Refused).details;
  return [status, first?.field, first?.error];
};

describe.each(appEngines)("a message by a template on %s", (engine) => {
  test("has the text that the template and its variables make, and the recipient's names when it is sent", async () => {
    await using app = await setup({ engine });
    const id = await template(app.sandbox, "Hey {first_name|there}, {{ what }} {% if paid %}paid{% else %}due{% endif %}, {city|Berlin}");
    const message = await queue(app.sandbox, by(id, { what: "invoice 4711", paid: false, city: "{first_name}" }));
    expect((await read(app.sandbox, message)).text).toBe("Hey {first_name|there}, invoice 4711 due, \\{first_name}");
    await app.settled();
    expect(await read(app.sandbox, message)).toMatchObject({ status: "sent", text: "Hey Sarah, invoice 4711 due, {first_name}" });
  });

  test.each(["{first_name}", "\\{first_name}", "{{ what }}", "{% raw %}", "C:\\", "\\\\", "}{", "$&", "{_|x}"])(
    "says %j as it was given",
    async (value) => {
      await using app = await setup({ engine });
      const id = await template(app.sandbox, "{{ what }}{first_name}{what}{{ what }}");
      const message = await queue(app.sandbox, by(id, { what: value }));
      await app.settled();
      expect(await read(app.sandbox, message)).toMatchObject({ status: "sent", text: `${value}Sarah${value}${value}` });
    },
  );

  test("keeps its text when the template changes or goes", async () => {
    await using app = await setup({ engine });
    const id = await template(app.sandbox, "Hey {first_name}, {{ what }}");
    const later = { ...by(id, { what: "one" }), schedule_at: new Date(app.clock.now() + 60_000).toISOString() };
    const messages = [await queue(app.sandbox, later)];
    await app.sandbox.patch(`/v1/templates/${id}`, { body: "Bye {first_name}, {{ what }}" });
    messages.push(await queue(app.sandbox, later));
    expect((await app.sandbox.delete(`/v1/templates/${id}`)).status).toBe(204);
    expect((await sendTo(app.sandbox, later)).status).toBe(404);
    await app.advance(60_000);
    expect(await Promise.all(messages.map(async (message) => (await read(app.sandbox, message)).text))).toEqual([
      "Hey Sarah, one",
      "Bye Sarah, one",
    ]);
  });

  test("has either a text or a template, and variables only with a template", async () => {
    await using app = await setup({ engine });
    const id = await template(app.sandbox, "Hey {{ you | default: 'you' }}");
    const asks: [Record<string, unknown>, string, string][] = [
      [{ text: undefined }, "text", "required"],
      [{ text: undefined, variables: { you: "x" } }, "text", "required"],
      [{ text: "Hey", template_id: id }, "template_id", "not_allowed"],
      [{ text: "Hey", variables: { you: "x" } }, "variables", "not_allowed"],
      [{ ...by(id), variables: { you: null } }, "variables.you", "wrong_type"],
      [by(id, { you: "x".repeat(1_001) }), "variables.you", "too_long"],
      [by(""), "template_id", "too_short"],
    ];
    for (const [ask, field, error] of asks) expect([ask, ...faultOf(await sendTo(app.sandbox, ask))]).toEqual([ask, 422, field, error]);
    expect((await sendTo(app.sandbox, by(id))).status).toBe(200);
    for (const unknown of ["tpl_00000000000000000000000000", "Reminder", "'"]) {
      const { status, body } = await sendTo(app.sandbox, by(unknown));
      expect([status, (body as unknown as Refused).code]).toEqual([404, "not_found"]);
    }
    expect((await sendTo(app.sandbox, { ...by(id), account_id: 10_000 })).status).toBe(404);
  });

  test("needs what Liquid looks up, unless a default or a condition does without", async () => {
    await using app = await setup({ engine });
    const id = await template(app.sandbox, "{% if vip %}Dear {% endif %}{{ name }}, {{ what }} {{ when | default: 'soon' }}");
    const refused = await sendTo(app.sandbox, by(id, { vip: true }));
    expect(faultOf(refused)).toEqual([422, "variables", "required"]);
    expect((refused.body as unknown as Refused).detail).toContain("variable name,");
    expect((await sendTo(app.sandbox, by(id, { name: "Ann", what: "" }))).status).toBe(200);
    expect(faultOf(await sendTo(app.sandbox, by(id)))).toEqual([422, "variables", "required"]);
    const loose = await template(app.sandbox, "Hey {nickname}", "Loose");
    const message = await queue(app.sandbox, by(loose));
    await app.settled();
    expect(await read(app.sandbox, message)).toMatchObject({ status: "failed", error: { code: "variable_missing" } });
  });

  test("is refused when nothing is left of it, or too much", async () => {
    await using app = await setup({ engine });
    const id = await template(app.sandbox, "{% if x %}{% endif %} {{ y }}");
    expect(faultOf(await sendTo(app.sandbox, by(id, { y: "" })))).toEqual([422, "template_id", "too_short"]);
    const long = await template(app.sandbox, "{{ y }}".repeat(9), "Long");
    expect(faultOf(await sendTo(app.sandbox, by(long, { y: "x".repeat(500) })))).toEqual([422, "template_id", "too_long"]);
    expect(faultOf(await sendTo(app.sandbox, by(long, { y: "x".repeat(1_000) })))).toEqual([422, "template_id", "bad_format"]);
    expect(await app.db.read.selectFrom("messages").selectAll().execute()).toEqual([]);
  });

  test("is sent once under an Idempotency-Key, whatever has become of its template", async () => {
    await using app = await setup({ engine });
    const id = await template(app.sandbox, "Hey {{ you }}");
    const ask = { ...by(id, { you: "you" }) };
    const headers = { "idempotency-key": "by-template" };
    const first = await sendTo(app.sandbox, ask, headers);
    await app.sandbox.delete(`/v1/templates/${id}`);
    const second = await sendTo(app.sandbox, ask, headers);
    expect([second.status, second.text]).toEqual([200, first.text]);
    expect((await sendTo(app.sandbox, by(id, { you: "other" }), headers)).status).toBe(409);
  });

  test("stands in a batch beside others, each refused by itself", async () => {
    await using app = await setup({ engine });
    const template_id = await template(app.sandbox, "Hey {first_name}, {{ what }}");
    const to = { account_id: 7421, to: "@sarah_miller" };
    const messages = [
      { ...to, template_id, variables: { what: "one" } },
      { ...to, template_id },
      { ...to, template_id: "tpl_00000000000000000000000000" },
      { ...to },
      { ...to, text: "two" },
    ];
    const { body } = await app.sandbox.post<BatchAnswer>("/v1/messages/batch", { messages });
    const told = body.results.map((result) => ("error" in result ? result.error.code : result.status));
    expect(told).toEqual(["queued", "validation_error", "not_found", "validation_error", "queued"]);
    await app.settled();
    const { items } = (await app.sandbox.get<{ items: { text: string }[] }>("/v1/messages")).body;
    expect(items.map(({ text }) => text).toSorted()).toEqual(["Hey Sarah, one", "two"]);
  });
});
