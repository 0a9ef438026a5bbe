import { parseTime, toTime } from "#src/core/clock.ts";
import { tidyText } from "#src/core/search-text.ts";
import { isTimezone } from "#src/core/timezone.ts";
import { type Fault, faultAt } from "./faults.ts";
import type { NewDefinition, Trigger, Window } from "./model.ts";

type Limits = Omit<NewDefinition, "steps">;

/** What is wrong with all that a definition has beside its steps. */
export function checkLimits({ timezone, window, holidays = [], exit_on, reentry, triggers = [] }: Limits): Fault[] {
  const faults: Fault[] = [];
  if (timezone !== undefined && timezone !== null && !isTimezone(timezone))
    faults.push(faultAt("timezone", "bad_format", "There is no such timezone: give an IANA name such as Europe/Berlin.", timezone));
  if (window !== undefined && window !== null && isNever(window))
    faults.push(
      faultAt("window", "not_allowed", "The window never opens, since from and to are the same: leave both out for the whole day."),
    );
  for (const [at, date] of holidays.entries())
    if (!isDate(date))
      faults.push(faultAt(`holidays.${at}`, "bad_format", "There is no such day in the calendar: give one such as 2026-12-25.", date));
  for (const [at, tag] of (exit_on?.tags ?? []).entries()) faults.push(...tagFaults(`exit_on.tags.${at}`, tag));
  if (reentry?.rule === "after" && reentry.after === undefined)
    faults.push(faultAt("reentry.after", "required", "Say after how long a contact can enter again, such as 30d."));
  if (reentry !== undefined && reentry.rule !== "after" && reentry.after !== undefined)
    faults.push(faultAt("reentry.after", "not_allowed", `after goes with the rule after; with ${reentry.rule} leave it out.`));
  return [...faults, ...triggers.flatMap((trigger, at) => triggerFaults(trigger, `triggers.${at}`))];
}

function isNever({ from = "00:00", to }: Window): boolean {
  return from === to;
}

function isDate(text: string): boolean {
  const at = parseTime(`${text}T00:00:00Z`);
  // There is no 30th of February, though some parsers take it for one of March.
  return at !== null && toTime(at).slice(0, 10) === text;
}

function triggerFaults({ event, tag, start_payload }: Trigger, at: string): Fault[] {
  const faults = taggedFaults({ event, tag }, at);
  if (start_payload !== undefined && event !== "message.received")
    faults.push(faultAt(`${at}.start_payload`, "not_allowed", "start_payload goes with message.received alone."));
  return faults;
}

/** What is wrong with the tag that an event is narrowed by. */
export function taggedFaults({ event, tag }: { event: string; tag?: string | undefined }, at: string): Fault[] {
  if (tag === undefined) return [];
  if (event === "contact.tagged" || event === "contact.untagged") return tagFaults(`${at}.tag`, tag);
  return [faultAt(`${at}.tag`, "not_allowed", "tag goes with contact.tagged and contact.untagged alone.", tag)];
}

export function tagFaults(at: string, tag: string): Fault[] {
  return tidyText(tag) === "" ? [faultAt(at, "too_short", "A tag holds more than white space.")] : [];
}
