import { addDuration } from "#src/core/duration.ts";
import { invalidField } from "#src/core/errors.ts";
import { atLocal } from "#src/core/local-time.ts";
import { opensAt } from "#src/core/send-window.ts";
import { tidyText } from "#src/core/search-text.ts";
import { readTime } from "#src/core/time-field.ts";
import { isTimezone } from "#src/core/timezone.ts";
import type { AbTest, Audience, BroadcastMessage, NewBroadcast, Plan } from "./model.ts";
import { isCron } from "./recurring.ts";

/** The zone whose clocks show a time first. */
const FIRST_ZONE = "Pacific/Kiritimati";

/** @throws AppError `validation_error` */
export function readAudience(audience: Audience): Audience {
  if ("contact_ids" in audience) return { contact_ids: [...new Set(audience.contact_ids)] };
  if (!("tag" in audience)) return audience;
  const tag = tidyText(audience.tag);
  if (tag === "") throw invalidField("audience.tag", "too_short", "A tag has more than blanks.");
  return { tag };
}

/** @throws AppError `validation_error` on what does not work */
export function readPlan(ask: Omit<NewBroadcast, "name" | "audience" | "metadata">, now: number): Plan {
  const { message = null, ab_test = null, account_ids, schedule = null, throttle = null, stop_at_failure_rate = null } = ask;
  const { timezone = null, window = null, holidays = [], frequency_cap = null, track_links = false } = ask;
  if (ab_test !== null && message !== null)
    throw invalidField("message", "not_allowed", "Give either message or ab_test, which has messages of its own.");
  if (message !== null) checkMessage("message", message);
  else if (ab_test === null) throw invalidField("message", "required", "Give message, or ab_test.");
  else checkTest(ab_test, track_links);
  checkZone("timezone", timezone);
  checkSchedule(schedule, now);
  checkHolidays(holidays);
  if (window !== null && opensAt(now, "UTC", window, holidays) === null)
    throw invalidField("window", "not_allowed", "This window never opens: from and to are the same, or all its days are holidays.");
  return {
    ...{ message, ab_test, account_ids: [...new Set(account_ids)], schedule, throttle, stop_at_failure_rate },
    ...{ timezone, window, holidays, frequency_cap, track_links },
  };
}

function checkMessage(field: string, { text, template_id, attachments }: BroadcastMessage): void {
  if (text === undefined && template_id === undefined && attachments === undefined)
    throw invalidField(`${field}.text`, "required", "Give either text or template_id.");
  if (text !== undefined && template_id !== undefined)
    throw invalidField(`${field}.template_id`, "not_allowed", "Give either text or template_id, not both.");
}

function checkTest({ variants, sample_percent = 100, winner }: AbTest, track_links: boolean): void {
  if (winner?.metric === "clicked" && !track_links)
    throw invalidField("ab_test.winner.metric", "not_allowed", "Without track_links nobody knows who opens a link.");
  const names = variants.map(({ name }) => name);
  const twice = names.findIndex((name, at) => names.indexOf(name) !== at);
  if (twice !== -1) throw invalidField(`ab_test.variants.${twice}.name`, "taken", "Two variants have this name.", names[twice]);
  for (const [at, { message }] of variants.entries()) checkMessage(`ab_test.variants.${at}.message`, message);
  if (sample_percent < 100 && winner === undefined)
    throw invalidField("ab_test.winner", "required", "Who is not in the sample gets what has won: say how that is found.");
}

function checkZone(field: string, zone: string | null | undefined): void {
  if (zone !== null && zone !== undefined && !isTimezone(zone))
    throw invalidField(field, "not_allowed", `${field} is no timezone of the IANA, such as Europe/Berlin.`, zone);
}

function checkSchedule(schedule: Plan["schedule"], now: number): void {
  if (schedule === null) return;
  if ("at" in schedule && readTime("schedule.at", schedule.at) <= now)
    throw invalidField("schedule.at", "too_small", "schedule.at lies in the past: leave it out to begin at once.", schedule.at);
  if ("local" in schedule && atLocal(schedule.local, "UTC") === null)
    throw invalidField("schedule.local", "bad_format", "schedule.local is no date and time such as 2026-12-01T09:00.", schedule.local);
  if (!("cron" in schedule)) return;
  checkZone("schedule.timezone", schedule.timezone);
  if (!isCron(schedule)) throw invalidField("schedule.cron", "bad_format", "This is no pattern such as 0 9 * * MON.", schedule.cron);
}

function checkHolidays(holidays: readonly string[]): void {
  const wrong = holidays.findIndex((date) => atLocal(`${date}T00:00`, "UTC") === null);
  if (wrong !== -1) throw invalidField(`holidays.${wrong}`, "bad_format", "This is no date such as 2026-12-25.", holidays[wrong]);
}

/** When a broadcast begins that runs once (ms); null for one that does so at once. */
export function startOf({ schedule }: Plan): number | null {
  if (schedule === null || "cron" in schedule) return null;
  // Its recipients have to be noted before the first of them has that time.
  return "at" in schedule ? readTime("schedule.at", schedule.at) : addDuration(atLocal(schedule.local, FIRST_ZONE)!, "-1h", "UTC");
}

/** When a recipient's message is made at the earliest (ms). */
export function firstTime({ schedule }: Plan, zone: string, now: number): number {
  return schedule !== null && "local" in schedule ? Math.max(now, atLocal(schedule.local, zone)!) : now;
}

/** When a message may be made at or after a moment (ms), by the hours that were asked for. */
export function openTime({ window, holidays }: Plan, zone: string, at: number): number {
  if (window === null && holidays.length === 0) return at;
  return opensAt(at, zone, window ?? {}, holidays) ?? at;
}

export const stopOf = ({ stop_at_failure_rate: rate }: Plan) => ({
  stop_percent: rate?.percent ?? null,
  stop_after: rate === null ? null : rate.after,
});
