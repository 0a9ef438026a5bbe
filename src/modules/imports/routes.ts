import { Elysia, t } from "elysia";
import { Type } from "@sinclair/typebox";
import { AppError, invalidField } from "#src/core/errors.ts";
import { idPattern } from "#src/core/ids.ts";
import { pageExample, pageSchema } from "#src/core/list-query.ts";
import { operation } from "#src/core/operation.ts";
import { contextOf, mediaTypeOf, principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { Task } from "#src/modules/tasks/model.ts";
import {
  csvExample,
  importDescription,
  importExample,
  ndjsonExample,
  reportExample,
  sampleExample,
  undoDescription,
  undoExample,
} from "./examples.ts";
import { type ImportAsk, type ImportFormat, importKinds, importModes, type Mapping, Sample } from "./model.ts";
import type { ImportService } from "./service.ts";

const tag = "Imports";
const scope = "write:contacts";
/** A client that sends nothing for so long has gone. */
const IDLE_SECONDS = 120;
const params = Type.Object({ job_id: Type.String({ pattern: idPattern("job"), description: "The job of the import, `job_…`" }) });
const formats: Record<string, ImportFormat> = { "text/csv": "csv", "application/x-ndjson": "ndjson" };
const types: Record<ImportFormat, string> = { csv: "text/csv; charset=utf-8; header=present", ndjson: "application/x-ndjson" };
const MAPPING_MAX = 1_000;

export function importRoutes(imports: ImportService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/imports",
      async ({ request, query, set }) => {
        const context = contextOf(request);
        context.allowIdle?.(IDLE_SECONDS);
        const { env_id, key_id } = principalOf(request);
        const upload = await imports.receive(env_id, bodyOf(request), askOf(request, query));
        let answer: string;
        try {
          answer = await write({ request, body: { query, digest: upload.digest }, set }, async (tx) => ({
            status: 202,
            body: await imports.start(tx, { env_id, actor: key_id }, upload),
          }));
        } catch (error) {
          await imports.drop(upload);
          throw error;
        }
        // The first request with this key has its own.
        if (context.replayed === true) await imports.drop(upload);
        return answer;
      },
      {
        query: t.Object(
          {
            kind: t.Union(
              importKinds.map((kind) => t.Literal(kind)),
              { description: "What the rows are." },
            ),
            mode: t.Union(
              importModes.map((mode) => t.Literal(mode)),
              { description: "`create` leaves who is here as they are, `update` makes nobody, `upsert` does both." },
            ),
            dry_run: t.Optional(t.Boolean({ description: "Writes nothing, and tells what it would do." })),
            mapping: t.Optional(
              t.String({
                maxLength: 20_000,
                description: 'JSON: what columns (in NDJSON members) are, such as `{"Mail":"email","Tier":"fields.plan","Notes":null}`.',
              }),
            ),
          },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "imports.create",
          summary: "Import contacts",
          description: importDescription,
          tag,
          scope,
          upload: { "text/csv": csvExample, "application/x-ndjson": ndjsonExample },
          answers: { 202: { description: "The job that imports it.", schema: Task, example: importExample } },
        }),
      },
    )
    .post(
      "/v1/imports/:job_id/undo",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, { env_id, key_id }) => ({
          status: 202,
          body: await imports.undo(tx, { env_id, actor: key_id }, params.job_id),
        })),
      {
        params,
        detail: operation({
          id: "imports.undo",
          summary: "Undo an import",
          description: undoDescription,
          tag,
          scope,
          answers: { 202: { description: "The job that takes it back.", schema: Task, example: undoExample } },
          errors: ["conflict"],
        }),
      },
    )
    .get("/v1/imports/:job_id/sample", ({ request, params }) => imports.sample(principalOf(request).env_id, params.job_id), {
      params,
      detail: operation({
        id: "imports.sample",
        summary: "List differences",
        description: "What a dry run would change: its first 20 differences, in the order of the file. Kept for 30 days after its end.",
        tag,
        scope: ["read:contacts", "write:contacts"],
        answers: {
          200: { description: "The differences.", schema: pageSchema(Sample), example: { ...pageExample(sampleExample), limit: 20 } },
        },
      }),
    })
    .get(
      "/v1/imports/:job_id/report",
      async ({ request, params, query }) => {
        const { format = "csv" } = query;
        const text = await imports.report(principalOf(request).env_id, params.job_id, format);
        return new Response(text, {
          headers: { "content-type": types[format], "content-disposition": `attachment; filename="import-report.${format}"` },
        });
      },
      {
        params,
        query: t.Object({ format: t.Optional(t.Union([t.Literal("csv"), t.Literal("ndjson")])) }, { additionalProperties: false }),
        detail: operation({
          id: "imports.report",
          summary: "List refused rows",
          description:
            "The rows that an import has not taken: the line of the file on which each begins, and why. Up to 10,000, for 30 days after its end; nothing of what the rows held.",
          tag,
          scope: ["read:contacts", "write:contacts"],
          answers: {
            200: {
              description: "The rows, as a file.",
              type: "text/csv",
              schema: { type: "string" },
              example: reportExample,
              others: { "application/x-ndjson": { schema: { type: "string" }, example: "" } },
              headers: { "Content-Disposition": "The name of the file." },
            },
          },
        }),
      },
    );
}

function bodyOf(request: Request): AsyncIterable<Uint8Array> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity")
    throw new AppError("unsupported_media_type", "Send the file as it is, without a Content-Encoding.");
  if (request.body === null) throw invalidField("body", "required", "The file is missing: send it as the body.");
  return request.body;
}

function askOf(request: Request, query: { mode: ImportAsk["mode"]; dry_run?: boolean; mapping?: string }): ImportAsk {
  return { format: formats[mediaTypeOf(request)]!, mode: query.mode, dry_run: query.dry_run ?? false, mapping: readMapping(query.mapping) };
}

/** @throws AppError `validation_error` for what is no such object */
function readMapping(text: string | undefined): Mapping {
  if (text === undefined) return {};
  const bad = () => invalidField("mapping", "bad_format", 'mapping is an object in JSON such as {"Mail":"email","Notes":null}.');
  let read: unknown;
  try {
    read = JSON.parse(text);
  } catch {
    throw bad();
  }
  if (typeof read !== "object" || read === null || Array.isArray(read)) throw bad();
  const entries = Object.entries(read as Record<string, unknown>);
  if (entries.length > MAPPING_MAX || entries.some(([, target]) => target !== null && typeof target !== "string")) throw bad();
  return Object.fromEntries(entries) as Mapping;
}
