import type { OperationDoc } from "#src/core/operation.ts";
import type { Place } from "./complete.ts";

/** The operation as a line for a shell, with the key in a variable so that it does not end up in the shell's history. */
export function curl(doc: OperationDoc, { method, path, origin }: Place, hasBody: boolean): string {
  const verb = method === "get" ? "" : `-X ${method.toUpperCase()} `;
  const [type] = Object.keys(doc.upload ?? {});
  const parts = [`curl ${verb}'${origin}${path}'`];
  if (doc.scope !== null) parts.push(`-H "Authorization: Bearer $POSTHOUSE_KEY"`);
  const isForm = type === "multipart/form-data";
  if (hasBody && !isForm) parts.push(`-H 'Content-Type: ${type ?? "application/json"}'`);
  if (type !== undefined) parts.push(isForm ? "-F file=@file" : "--data-binary @file");
  if (doc.example !== undefined) parts.push(`-d '${JSON.stringify(doc.example).replaceAll("'", `'\\''`)}'`);
  return parts.join(" \\\n  ");
}
