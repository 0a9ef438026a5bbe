import type { Precondition } from "#src/core/etag.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Task } from "#src/modules/tasks/model.ts";

/** Whom an erasure is of: one contact, or all of the environment that were deleted before a time. */
export interface ErasureParams {
  contact_id: string | null;
  /** Milliseconds. */
  deleted_before: number;
}

export interface Eraser {
  env_id: number;
  /** `key_…`, `command`, `job`. */
  actor: string;
}

/** Deletes a contact and begins to erase it. @throws AppError `not_found`; what `check` throws */
export type EraseContact = (tx: Tx, eraser: Eraser, ref: string, check: Precondition) => Promise<Task>;
