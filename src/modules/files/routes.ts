import { Type } from "@sinclair/typebox";
import { Elysia, t } from "elysia";
import { AppError, invalidField } from "#src/core/errors.ts";
import { etagOf, preconditionOf } from "#src/core/etag.ts";
import { incoming } from "#src/core/incoming.ts";
import { cursorOptions, limitOptions, offsetOptions, pageExample, pageSchema } from "#src/core/list-query.ts";
import type { Log } from "#src/core/log.ts";
import { operation } from "#src/core/operation.ts";
import { contextOf, mediaTypeOf, principalOf } from "#src/core/request.ts";
import type { UnitOfWork } from "#src/core/write.ts";
import { answerFile } from "./answer.ts";
import { fileExample as example, formExample, readDescription, uploadDescription } from "./examples.ts";
import { File, FileId } from "./model.ts";
import { fileOf, type FormFile } from "./multipart.ts";
import { FILE_BYTES_MAX } from "./receive.ts";
import type { FileService } from "./service.ts";

const tag = "Files";
const params = Type.Object({ id: FileId });
/** A client that sends nothing for so long has gone. */
const IDLE_SECONDS = 120;
const NAME_MAX = 255;
const fileHeaders = {
  "Content-Disposition": "`inline` for images, audio and video, else `attachment`; with the file's name.",
  "X-Content-Type-Options": "`nosniff`.",
};
const bytes = { type: "application/octet-stream", schema: { type: "string", contentMediaType: "application/octet-stream" }, example: "" };

export function fileRoutes(files: FileService, write: UnitOfWork, log: Log) {
  return new Elysia().use(writingRoutes(files, write)).use(readingRoutes(files, log));
}

function writingRoutes(files: FileService, write: UnitOfWork) {
  return new Elysia()
    .post(
      "/v1/files",
      async ({ request, query, set }) => {
        const context = contextOf(request);
        context.allowIdle?.(IDLE_SECONDS);
        const taken = await takenFrom(request);
        const name = readName(query.name ?? taken.name);
        const upload = await files.receive(principalOf(request).env_id, taken.bytes, name);
        let answer: string;
        try {
          const body = { name, digest: upload.digest };
          answer = await write({ request, body, set }, async (tx) => ({ status: 201, body: await files.create(tx, upload) }));
        } catch (error) {
          await files.drop(upload);
          throw error;
        }
        // The first request with this key has its own.
        if (context.replayed === true) await files.drop(upload);
        return answer;
      },
      {
        query: t.Object(
          { name: t.Optional(t.String({ minLength: 1, maxLength: NAME_MAX, description: "Its name, as the recipient sees it." })) },
          { additionalProperties: false },
        ),
        detail: operation({
          id: "files.create",
          summary: "Upload a file",
          description: uploadDescription,
          tag,
          scope: "write:messages",
          upload: { "multipart/form-data": formExample, "*/*": "You are invited" },
          uploadBytesMax: FILE_BYTES_MAX,
          answers: { 201: { description: "The file.", schema: File, example } },
        }),
      },
    )
    .delete(
      "/v1/files/:id",
      ({ request, params, set }) =>
        write({ request, body: null, set }, async (tx, principal) => {
          await files.remove(tx, principal, params.id, preconditionOf(request));
          return { status: 204, body: null };
        }),
      {
        params,
        detail: operation({
          id: "files.delete",
          summary: "Delete a file",
          description:
            "For good, also one that was received. What was sent with it stays with its recipients; a message that waits to be sent with it fails as `message_rejected`.",
          tag,
          scope: "write:messages",
          answers: { 204: { description: "Deleted." } },
          errors: ["precondition_failed"],
        }),
      },
    );
}

function readingRoutes(files: FileService, log: Log) {
  return new Elysia()
    .get("/v1/files", ({ request, query }) => files.list(principalOf(request).env_id, query), {
      query: t.Object(
        {
          limit: t.Optional(t.Integer(limitOptions)),
          offset: t.Optional(t.Integer(offsetOptions)),
          cursor: t.Optional(t.String(cursorOptions)),
        },
        { additionalProperties: false },
      ),
      detail: operation({
        id: "files.list",
        summary: "List files",
        description: "Uploads and what was received, newest first.",
        tag,
        scope: "read:messages",
        answers: { 200: { description: "A page of files.", schema: pageSchema(File), example: pageExample(example) } },
      }),
    })
    .get(
      "/v1/files/:id",
      async ({ request, params }) => answerFile(request, contextOf(request), await files.read(principalOf(request).env_id, params.id), log),
      {
        params,
        detail: operation({
          id: "files.get",
          summary: "Download a file",
          description: readDescription,
          tag,
          scope: "read:messages",
          answers: {
            200: { description: "Its bytes, of the type that they are.", ...bytes, headers: fileHeaders },
            206: { description: "The range that was asked for.", ...bytes, headers: fileHeaders },
            304: { description: "It is what `If-None-Match` names." },
          },
          errors: ["conflict"],
        }),
      },
    )
    .get(
      "/v1/files/:id/info",
      async ({ request, params, set }) => {
        const file = await files.get(principalOf(request).env_id, params.id);
        set.headers.etag = etagOf(file);
        return file;
      },
      {
        params,
        detail: operation({
          id: "files.info",
          summary: "Get what is known of a file",
          description: "Its name, type and size; nothing is fetched for it.",
          tag,
          scope: "read:messages",
          answers: { 200: { description: "The file.", schema: File, example } },
        }),
      },
    );
}

async function takenFrom(request: Request): Promise<FormFile> {
  const encoding = request.headers.get("content-encoding");
  if (encoding !== null && encoding !== "identity")
    throw new AppError("unsupported_media_type", "Send the file as it is, without a Content-Encoding.");
  if (request.body === null) throw invalidField("file", "required", "The file is missing: send it as the body.");
  const bytes = incoming(request.body);
  const isForm = mediaTypeOf(request) === "multipart/form-data";
  return isForm ? fileOf(request.headers.get("content-type") ?? "", bytes) : { name: null, bytes };
}

/** Without the folders that it was in, and without what no file's name has. */
function readName(given: string | null): string | null {
  const name = (given ?? "")
    .split(/[/\\]/)
    .at(-1)!
    .replace(/\p{Cc}/gu, "")
    .toWellFormed()
    .trim();
  return name === "" || name === "." || name === ".." ? null : name.slice(0, NAME_MAX).toWellFormed();
}
