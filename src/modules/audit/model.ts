import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import type { PageQuery } from "#src/core/page.ts";

/** A change of a resource, as it is written down in the change's own transaction. */
export interface NewAuditEntry {
  /** Who made it: `key_…`, `command`. */
  actor: string;
  /** The operation's id, such as `keys.create`. */
  operation: string;
  /** Id of what was changed. */
  subject: string;
  /** The resource as the API shows it; null where there was none. */
  before: object | null;
  /** The same afterwards; null where there is none any more. */
  after: object | null;
}

const state = (description: string) => Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()], { description });

export const AuditEntry = Type.Object(
  {
    id: Type.String({ pattern: idPattern("aud") }),
    at: Type.String({ format: "date-time" }),
    actor: Type.String({ description: "Who made the change: a key's id, or `command`." }),
    operation: Type.String({ description: "What was done, as the reference names it." }),
    subject: Type.String({ description: "Id of what was changed." }),
    before: state("What changed, as it was; null for what was made."),
    after: state("What changed, as it is now; null for what was removed."),
  },
  { $id: "AuditEntry" },
);
export type AuditEntry = Static<typeof AuditEntry>;

/** A page of the audit, and what it is narrowed by. */
export interface AuditQuery extends PageQuery {
  actor?: string;
  subject?: string;
  operation?: string;
  created_after?: string;
  created_before?: string;
}
