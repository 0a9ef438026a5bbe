import { Elysia, t } from "elysia";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { cursorOptions, givenOf, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { idPattern } from "#src/core/ids.ts";
import type { Log } from "#src/core/log.ts";
import { operation } from "#src/core/operation.ts";
import type { Principal } from "#src/core/principal.ts";
import { contextOf, principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import type { EraseContact } from "#src/modules/erasure/model.ts";
import { Task } from "#src/modules/tasks/model.ts";
import { contactExample, eraseExample, scoredExample, upsertExample } from "./examples.ts";
import {
  Contact,
  ContactBatch,
  ContactBatchAnswer,
  ContactInput,
  ContactRef,
  contactSorts,
  ScoredContact,
  TAG_LENGTH_MAX,
  UpsertedContact,
} from "./model.ts";
import { answerExport, exportAnswer, exportDescription } from "./export-answer.ts";
import { type ContactExport, exportFormats } from "./export.ts";
import type { ContactService, Writer } from "./service.ts";

const params = t.Object({ id: ContactRef });
const timeOptions = (description: string) => ({ format: "date-time", description }) as const;
const writerOf = ({ env_id, key_id }: Principal): Writer => ({ env_id, actor: key_id });

interface Exports {
  begin: ContactExport;
  /** Learns why an export was broken off. */
  log: Log;
}

/** The parameters by which contacts are narrowed, wherever several are read. */
const filterQuery = {
  search: t.Optional(
    t.String({
      minLength: 1,
      maxLength: 200,
      description: "Words, or beginnings of words, of name, username, email or phone. Case and accents do not matter.",
    }),
  ),
  tag: t.Optional(t.String({ minLength: 1, maxLength: TAG_LENGTH_MAX, description: "Who has this tag." })),
  field: t.Optional(
    t.String({
      minLength: 3,
      maxLength: 600,
      description: "Who has this value in a custom field, as `key:value`. Case and accents do not matter. Segments know ranges too.",
    }),
  ),
  segment: t.Optional(t.String({ pattern: idPattern("seg"), description: "Who is in this segment, `seg_…`, at this moment." })),
  created_after: t.Optional(t.String(timeOptions("Made at this time or later."))),
  created_before: t.Optional(t.String(timeOptions("Made before this time."))),
  seen_after: t.Optional(t.String(timeOptions("Last seen at this time or later."))),
  seen_before: t.Optional(t.String(timeOptions("Last seen before this time."))),
};

export function contactRoutes(contacts: ContactService, write: UnitOfWork, erase: EraseContact, exports: Exports) {
  return new Elysia()
    .post(
      "/v1/contacts",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => {
          const { contact, created } = await contacts.upsert(tx, writerOf(principal), body);
          return { status: created ? 201 : 200, body: { ...contact, created } };
        }),
      {
        body: ContactInput,
        detail: operation({
          id: "contacts.upsert",
          summary: "Create or update a contact",
          description:
            "Looks for the person by `external_id`, `telegram_id`, `username`, `email` and `phone`, in this order, and makes them if nobody has one of these. What is absent stays, null clears, tags are added. Custom fields stand in `fields`, or beside it under their keys.",
          tag: "Contacts",
          scope: "write:contacts",
          example: upsertExample,
          answers: {
            201: { description: "A new contact.", schema: UpsertedContact, example: { ...contactExample, created: true } },
            200: { description: "A contact who was here.", schema: UpsertedContact, example: { ...contactExample, created: false } },
          },
          errors: ["conflict"],
        }),
      },
    )
    .post(
      "/v1/contacts/batch",
      ({ request, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await contacts.upsertBatch(tx, writerOf(principal), body),
        })),
      {
        body: ContactBatch,
        detail: operation({
          id: "contacts.batch",
          summary: "Create or update up to 500 contacts",
          description: "Each is taken or refused by itself: look at the results. A body that breaks the schema is refused as a whole.",
          tag: "Contacts",
          scope: "write:contacts",
          example: { contacts: [upsertExample] },
          answers: {
            200: {
              description: "A result for each, in order.",
              schema: ContactBatchAnswer,
              example: {
                results: [{ index: 0, id: contactExample.id, number: contactExample.number, created: true }],
                created: 1,
                updated: 0,
                refused: 0,
              },
            },
          },
        }),
      },
    )
    .get(
      "/v1/contacts",
      ({ request, query }) => {
        const { limit, offset, cursor, ...filter } = query;
        return contacts.list(principalOf(request).env_id, givenOf(filter), givenOf({ limit, offset, cursor }));
      },
      {
        query: t.Object(
          {
            limit: t.Optional(t.Integer(limitOptions)),
            offset: t.Optional(t.Integer(offsetOptions)),
            cursor: t.Optional(t.String(cursorOptions)),
            ...filterQuery,
            sort: t.Optional(
              t.Union(
                contactSorts.map((sort) => t.Literal(sort)),
                { default: "-created_at", description: "`-` is descending. `-last_seen_at` leaves out who was never seen." },
              ),
            ),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "contacts.list",
          summary: "List and search contacts",
          tag: "Contacts",
          scope: "read:contacts",
          answers: { 200: { description: "A page of contacts.", schema: pageSchema(Contact), example: pageExample(contactExample) } },
        }),
      },
    )
    .get(
      "/v1/contacts/export",
      ({ request, query }) => {
        const { format = "csv", ...filter } = query;
        const parts = exports.begin(principalOf(request).env_id, givenOf(filter), format);
        return answerExport(contextOf(request), parts, format, exports.log);
      },
      {
        query: t.Object(
          {
            format: t.Optional(
              t.Union(
                exportFormats.map((format) => t.Literal(format)),
                { default: "csv", description: "`ndjson` is a line of JSON for each." },
              ),
            ),
            ...filterQuery,
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "contacts.export",
          summary: "Export contacts",
          description: exportDescription,
          tag: "Contacts",
          scope: "read:contacts",
          answers: { 200: exportAnswer },
        }),
      },
    )
    .get(
      "/v1/contacts/:id",
      async ({ request, params, set }) => {
        const { score, ...contact } = await contacts.get(principalOf(request).env_id, params.id);
        // Of what a PATCH can change: the score fades by itself.
        set.headers.etag = etagOf(contact);
        return { ...contact, score };
      },
      {
        params,
        detail: operation({
          id: "contacts.get",
          summary: "Get a contact",
          description: "With its score by the rules of Scoring, which lists leave out. The `ETag` is that of the contact without it.",
          tag: "Contacts",
          scope: "read:contacts",
          answers: { 200: { description: "The contact.", schema: ScoredContact, example: scoredExample } },
        }),
      },
    )
    .patch(
      "/v1/contacts/:id",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 200,
          body: await contacts.patch(tx, writerOf(principal), params.id, body, preconditionOf(request)),
        })),
      {
        params,
        body: ContactInput,
        detail: operation({
          id: "contacts.patch",
          summary: "Change a contact",
          description: "What is absent stays, null clears. `tags` replaces those that are there, unless `tags_mode` is `add`.",
          tag: "Contacts",
          scope: "write:contacts",
          example: { language: "en", timezone: "Europe/London" },
          answers: { 200: { description: "The contact.", schema: Contact, example: contactExample } },
          errors: ["precondition_failed", "conflict"],
        }),
      },
    )
    .delete(
      "/v1/contacts/:id",
      ({ request, params, query, set }) =>
        write({ request, body: query.erase === true ? { erase: true } : null, set }, async (tx, principal) => {
          if (query.erase === true) return { status: 202, body: await erase(tx, writerOf(principal), params.id, preconditionOf(request)) };
          await contacts.remove(tx, writerOf(principal), params.id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        query: t.Object(
          {
            erase: t.Optional(
              t.Boolean({ default: false, description: "Erase at once what is kept of the person, also after a deletion." }),
            ),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "contacts.delete",
          summary: "Delete a contact",
          description:
            "Out of every list at once. Their identities are free for another contact. 30 days later, with `erase` at once, everything personal is erased: the contact, and what messages, events, the audit and kept answers hold of it. Of its messages the rows stay, to `erased` and without a text; those that are queued are canceled. Suppressions stay. Who was merged into the contact goes with it; the id of a contact that was merged into another is refused here.",
          tag: "Contacts",
          scope: "write:contacts",
          answers: {
            204: { description: "Deleted." },
            202: { description: "Deleted, and being erased by this job.", schema: Task, example: eraseExample },
          },
          errors: ["conflict", "precondition_failed"],
        }),
      },
    );
}
