import { answerInParts } from "#src/core/answer-in-parts.ts";
import type { Log } from "#src/core/log.ts";
import type { AnswerDoc } from "#src/core/operation.ts";
import type { RequestContext } from "#src/core/request.ts";
import { contactCsvExample, contactExample } from "./examples.ts";
import type { ExportFormat, ExportPart } from "./export.ts";

type Parts = AsyncGenerator<ExportPart, void, void>;

/** https://www.rfc-editor.org/rfc/rfc4180#section-3 */
const types: Record<ExportFormat, string> = { csv: "text/csv; charset=utf-8; header=present", ndjson: "application/x-ndjson" };

export const exportDescription = `All contacts, or those that the filter leaves, the oldest first. It is streamed, however many there are, and read page by page: what changes meanwhile is told as it is found. An answer that was broken off ends without its last chunk.

In CSV (RFC 4180) an absent value is an empty cell. A text that begins with \`=\`, \`+\`, \`-\`, \`@\`, a tab or a line break, where a spreadsheet would see a formula, has an apostrophe before it; so has one that begins with apostrophes and then such a character. To undo it, take one apostrophe away wherever apostrophes and then such a character begin a cell. \`phone\` is left as it is, in E.164. \`tags\` are parted by \`;\`, each with its own apostrophe where it needs one; a \`;\` or a \`\\\` in a tag has a \`\\\` before it. \`metadata\` is JSON.

In NDJSON each line is a contact as the API shows it.`;

/** The answer as the reference shows it. */
export const exportAnswer: AnswerDoc = {
  description: "The contacts, as a file.",
  type: "text/csv",
  schema: { type: "string" },
  example: contactCsvExample,
  others: { "application/x-ndjson": { schema: { type: "string" }, example: `${JSON.stringify(contactExample)}\n` } },
  headers: { "Content-Disposition": "The name of the file." },
};

/** @throws whatever the first part throws */
export function answerExport(context: RequestContext, parts: Parts, format: ExportFormat, log: Log): Promise<Response> {
  const headers = { "content-type": types[format], "content-disposition": `attachment; filename="contacts.${format}"` };
  return answerInParts(context, parts, headers, log);
}
