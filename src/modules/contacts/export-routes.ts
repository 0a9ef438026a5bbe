import { Elysia, t } from "elysia";
import { operation } from "#src/core/operation.ts";
import { contextOf, principalOf } from "#src/core/request.ts";
import { csvHeader, csvLine } from "./csv.ts";
import { contactExample } from "./examples.ts";
import { type ContactExport, type ExportFormat, exportFormats, type ExportPart } from "./export.ts";
import { defined, filterQuery } from "./filter-query.ts";

/** https://www.rfc-editor.org/rfc/rfc4180#section-3 */
const types: Record<ExportFormat, string> = { csv: "text/csv; charset=utf-8; header=present", ndjson: "application/x-ndjson" };

const description = `All contacts, or those that the filter leaves, the oldest first. It is streamed, however many there are, and read page by page: what changes meanwhile is told as it is found. An answer that was broken off ends without its last chunk.

In CSV (RFC 4180) an absent value is an empty cell. A text that begins with \`=\`, \`+\`, \`-\`, \`@\`, a tab or a line break, where a spreadsheet would see a formula, has an apostrophe before it; so has one that begins with apostrophes and then such a character. To undo it, take one apostrophe away wherever apostrophes and then such a character begin a cell. \`phone\` is left as it is, in E.164. \`tags\` are parted by \`;\`, each with its own apostrophe where it needs one; a \`;\` or a \`\\\` in a tag has a \`\\\` before it. \`metadata\` is JSON.

In NDJSON each line is a contact as the API shows it.`;

export function contactExportRoutes(exportContacts: ContactExport) {
  return new Elysia().get(
    "/v1/contacts/export",
    async ({ request, query }) => {
      const { format = "csv", ...filter } = query;
      const parts = exportContacts(principalOf(request).env_id, defined(filter), format);
      // What fails before anything is out can still be answered as a problem.
      const first = await parts.next();
      contextOf(request).streams = true;
      const headers = { "content-type": types[format], "content-disposition": `attachment; filename="contacts.${format}"` };
      return new Response(toStream(first, parts), { headers });
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
        description,
        tag: "Contacts",
        scope: "read:contacts",
        answers: {
          200: {
            description: "The contacts, as a file.",
            type: "text/csv",
            schema: { type: "string" },
            example: csvHeader + csvLine(contactExample),
            others: { "application/x-ndjson": { schema: { type: "string" }, example: `${JSON.stringify(contactExample)}\n` } },
            headers: { "Content-Disposition": "The name of the file." },
          },
        },
      }),
    },
  );
}

/** Nothing is read ahead of the client, and nothing more once it is gone. */
function toStream(first: IteratorResult<ExportPart, void>, parts: AsyncGenerator<ExportPart, void, void>): ReadableStream<Uint8Array> {
  const encoder = new TextEncoder();
  let next: IteratorResult<ExportPart, void> | undefined = first;
  return new ReadableStream(
    {
      async pull(controller) {
        const { value, done } = next ?? (await parts.next());
        next = undefined;
        if (done === true || value === undefined) controller.close();
        else controller.enqueue(encoder.encode(value.text));
      },
      async cancel() {
        await parts.return();
      },
    },
    { highWaterMark: 0 },
  );
}
