import { createHash } from "node:crypto";
import type { Tx } from "#src/core/tx.ts";
import type { BranchStep, SplitStep } from "./model.ts";
import type { State } from "./state.ts";

/** The verb that sequences use of segments. */
export interface Segments {
  /** Whether a contact is in a segment, or matches a filter, at this moment; of a segment that is gone nobody is. */
  holds(tx: Tx, env_id: number, of: { segment: string } | { filter: Record<string, unknown> }, contact_id: string): Promise<boolean>;
}

/** @returns the step that a contact goes on with */
export async function branchOf(segments: Segments, tx: Tx, env_id: number, contact_id: string, step: BranchStep, state: State) {
  const holds = "replied" in step.if ? state.replied_at !== undefined : await segments.holds(tx, env_id, step.if, contact_id);
  return holds ? step.then : step.else;
}

/** A contact goes the same way each time, whenever and however often they come. */
export function partOf({ id, parts }: SplitStep, sequence_id: string, contact_id: string): string | null {
  const total = parts.reduce((sum, { weight }) => sum + weight, 0);
  const hash = createHash("sha256").update(`${sequence_id} ${id} ${contact_id}`).digest();
  let left = Number(hash.readBigUInt64BE() % BigInt(total));
  const part = parts.find(({ weight }) => (left -= weight) < 0);
  return part!.next;
}
