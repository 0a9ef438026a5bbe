import { AppError } from "./errors.ts";

/** A resource's validator: the same as long as its answer is the same. RFC 9110 section 8.8. */
export function etagOf(resource: object): string {
  return `"${Bun.hash(JSON.stringify(resource)).toString(36)}"`;
}

/** @throws AppError `precondition_failed` when the client has an older state in mind; nothing without `If-Match` */
export function checkMatch(request: Request, current: object): void {
  const wanted = request.headers.get("if-match");
  if (wanted === null || wanted.trim() === "*") return;
  const etag = etagOf(current);
  if (wanted.split(",").some((one) => one.trim() === etag)) return;
  throw new AppError("precondition_failed", "The resource has changed since you read it: read it again and repeat.");
}
