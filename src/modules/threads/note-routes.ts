import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { newNoteExample, noteExample } from "./examples.ts";
import { NewNote, ThreadNote } from "./model.ts";
import type { ThreadService } from "./service.ts";

const id = Type.String({ pattern: idPattern("th"), description: "`th_…`" });
const tag = "Threads";

export function noteRoutes(threads: Pick<ThreadService<unknown>, "notes" | "addNote" | "removeNote">, write: UnitOfWork) {
  return new Elysia()
    .get("/v1/threads/:id/notes", ({ request, params, query }) => threads.notes(principalOf(request), params.id, query), {
      params: Type.Object({ id }),
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "threads.notes",
        summary: "List a thread's notes",
        description: "Newest first.",
        tag,
        scope: "read:messages",
        answers: { 200: { description: "A page of notes.", schema: pageSchema(ThreadNote), example: pageExample(noteExample) } },
      }),
    })
    .post(
      "/v1/threads/:id/notes",
      ({ request, params, body, set }) =>
        write({ request, body, set }, async (tx, principal) => ({
          status: 201,
          body: await threads.addNote(tx, principal, params.id, body),
        })),
      {
        params: Type.Object({ id }),
        body: NewNote,
        detail: operation({
          id: "threads.add_note",
          summary: "Add a note to a thread",
          description: "For colleagues: it is not sent to anybody.",
          tag,
          scope: "write:messages",
          example: newNoteExample,
          answers: { 201: { description: "The note.", schema: ThreadNote, example: noteExample } },
        }),
      },
    )
    .delete(
      "/v1/threads/:id/notes/:note_id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => {
          await threads.removeNote(tx, principal, params.id, params.note_id);
          return { status: 204, body: null };
        }),
      {
        params: Type.Object({ id, note_id: Type.String({ pattern: idPattern("note"), description: "`note_…`" }) }),
        detail: operation({
          id: "threads.remove_note",
          summary: "Remove a note",
          tag,
          scope: "write:messages",
          answers: { 204: { description: "Removed." } },
        }),
      },
    );
}
