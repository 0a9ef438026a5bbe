import { parseTime } from "#src/core/clock.ts";
import { addDuration, atDate } from "#src/core/duration.ts";
import { localDateOf, nextLocal } from "#src/core/local-time.ts";
import type { Contact } from "#src/modules/contacts/model.ts";
import type { WaitStep } from "./model.ts";

/** What of a contact a wait asks for. */
type Dated = Pick<Contact, "created_at" | "fields">;

/**
 * When a wait that begins now is over.
 * @param at the moment (ms) at which it begins
 * @param zone of the contact
 * @returns ms; not after `at` where there is nothing to wait for
 */
export function endOfWait(step: WaitStep, at: number, zone: string, contact: Dated): number {
  if ("for" in step) return addDuration(at, step.for, zone);
  if ("for_event" in step) return addDuration(at, step.timeout, zone);
  // Later than now: who comes just at that time waits for the next.
  if ("until" in step) return nextLocal(at + 1, zone, step.until);
  const { field, offset, time } = step.until_field;
  if (field === "created_at") {
    const made = parseTime(contact.created_at) ?? at;
    if (time === undefined) return offset === undefined ? made : addDuration(made, offset, zone);
    return atDate(localDateOf(made, zone), zone, { time, offset }) ?? at;
  }
  const date = contact.fields[field];
  return typeof date === "string" ? (atDate(date, zone, { time, offset }) ?? at) : at;
}
