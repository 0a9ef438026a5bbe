import { AppError } from "./errors.ts";

/** A resource's validator: the same as long as its answer is the same. RFC 9110 section 8.8. */
export function etagOf(resource: object): string {
  return `"${Bun.hash(JSON.stringify(resource)).toString(36)}"`;
}

/**
 * Is told the present state within the transaction that changes it: between a look before and the change it could become another.
 * @throws AppError `precondition_failed`
 */
export type Precondition = (current: object) => void;

export const unconditional: Precondition = () => {};

/** What the request's `If-Match` asks for: that the state is the one which the client has in mind. RFC 9110 section 13.1.1. */
export function preconditionOf(request: Request): Precondition {
  const wanted = request.headers.get("if-match");
  if (wanted === null || wanted.trim() === "*") return unconditional;
  const etags = new Set(wanted.split(",").map((one) => one.trim()));
  return (current) => {
    if (!etags.has(etagOf(current)))
      throw new AppError("precondition_failed", "The resource has changed since you read it: read it again and repeat.");
  };
}
