import { describe, expect, test } from "bun:test";
import { createTemplateService } from "#src/modules/templates/service.ts";
import { createTemplateStore } from "#src/modules/templates/store.ts";
import { freshDatabase } from "#test/support/databases.ts";
import { rejectionOf } from "#test/support/rejection.ts";
import { createTestClock } from "#test/support/test-clock.ts";

const ENV = 1;
const sarah = { first_name: "Sarah", city: null, tags: ["vip", "{late}"], company: { name: "Acme {first_name}" } };

/** Templates that know one contact, `ct_sarah`. */
async function setup() {
  const fresh = await freshDatabase("sqlite");
  const templates = createTemplateService({
    store: createTemplateStore(fresh.db),
    clock: createTestClock(),
    contactVariables: (_tx, env_id, contact_id) => (env_id === ENV && contact_id === "ct_sarah" ? sarah : undefined),
  });
  return { ...fresh, templates, [Symbol.asyncDispose]: () => fresh[Symbol.asyncDispose]() };
}

describe("a template for a contact", () => {
  const body = "{first_name} {city|Berlin} {{ company.name }} {{ tags | join: '+' }}{% if tags contains 'vip' %}!{% endif %} {{ city }}";

  test("is previewed with what is known of the contact, and given variables go before", async () => {
    await using at = await setup();
    const preview = (variables: Record<string, string>) => at.templates.previewBody(ENV, body, { contact_id: "ct_sarah", variables });
    expect(await preview({})).toEqual({ text: "Sarah Berlin Acme {first_name} vip+{late}! ", missing: [] });
    expect((await preview({ first_name: "Sally", city: "Bonn" })).text).toBe("Sally Bonn Acme {first_name} vip+{late}! Bonn");
  });

  test("leaves {variables} to when it is sent, since the contact may have changed by then", async () => {
    await using at = await setup();
    const text = await at.db.write(async (tx) => {
      const { id } = await at.templates.create(tx, ENV, { name: "Hello", body }, "key");
      return at.templates.textFor(tx, ENV, id, { contact_id: "ct_sarah", variables: { city: "Bonn" } });
    });
    expect(text).toBe("{first_name} Bonn Acme \\{first_name} vip+\\{late}! Bonn");
  });

  test("is refused for one that there isn't", async () => {
    await using at = await setup();
    for (const [env_id, contact_id] of [
      [ENV, "ct_other"],
      [2, "ct_sarah"],
    ] as const)
      expect(await rejectionOf(at.templates.previewBody(env_id, body, { contact_id }))).toMatchObject({
        code: "validation_error",
        details: [{ field: "contact_id", error: "not_found" }],
      });
  });
});
