import type { Message } from "./model.ts";

/** What made a message that nobody asked for by itself. */
export type Origin = NonNullable<Message["origin"]>;

/** As a row keeps it: the parts in this order, none of which has a colon in it. */
export function writeOrigin({ type, id, step, enrollment_id }: Origin): string {
  return [type, id, step ?? "", enrollment_id ?? ""].join(":");
}

export function readOrigin(text: string | null): Origin | null {
  if (text === null) return null;
  const [type, id, step, enrollment_id] = text.split(":") as [Origin["type"], string, string, string];
  return { type, id, step: step === "" ? null : step, enrollment_id: enrollment_id === "" ? null : enrollment_id };
}
