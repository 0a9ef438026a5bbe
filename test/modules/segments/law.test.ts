import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import type { Page } from "#src/core/page.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { Segment, SegmentPreview } from "#src/modules/segments/model.ts";
import { setup } from "#test/support/app.ts";
import { engines } from "#test/support/databases.ts";
import { holds } from "./evaluate.ts";
import { person, populate, tree } from "./people.ts";

describe.each(engines())("a segment on %s", (engine) => {
  test("holds exactly those for whom its filter is true, whatever the filter and whoever they are", async () => {
    await using app = await setup({ engine });
    const now = app.clock.now();
    let runs = 0;
    const run = async (people: (typeof person extends fc.Arbitrary<infer Value> ? Value : never)[], trees: Record<string, unknown>[]) => {
      const { live } = await app.makeWorkspace(`Law ${++runs}`);
      const { contacts, messages } = await populate(app, live, people);
      expect(contacts).toHaveLength(people.length);
      for (const [at, filter] of trees.entries()) {
        const members = contacts.filter((contact) => holds(filter, contact, { now, messages })).map(({ id }) => id);
        const preview = await live.post<SegmentPreview>("/v1/segments/preview", { filter });
        expect([filter, preview.status, preview.body.total]).toEqual([filter, 200, members.length]);
        expect([filter, preview.body.sample.map(({ id }) => id)]).toEqual([filter, members]);
        if (at > 0) continue;
        const made = await live.post<Segment>("/v1/segments", { name: "Law", filter });
        expect(made.body.filter).toEqual(filter);
        const listed = await live.get<Page<Contact>>(`/v1/contacts?segment=${made.body.id}&sort=created_at`);
        expect([filter, listed.body.items.map(({ id }) => id)]).toEqual([filter, members.toReversed()]);
      }
    };
    await fc.assert(
      fc.asyncProperty(
        fc.array(person, { minLength: 3, maxLength: 10, size: "max" }),
        fc.array(tree(now), { minLength: 30, maxLength: 40 }),
        run,
      ),
      { numRuns: 15, endOnFailure: true },
    );
  }, 120_000);
});
