import { fault } from "./fault.ts";
import type { Filter, ReadFilter, Reading } from "./tree.ts";
import { DAY_MS, readCount, readDays } from "./values.ts";

const TIMES_MAX = 1_000;

/** Which states of a message to the contact, or from them, tell that this has happened. */
const statusesOf: Record<string, readonly string[]> = {
  message_queued: ["queued", "sending"],
  message_sent: ["sent", "delivered", "read"],
  message_delivered: ["delivered", "read"],
  message_read: ["read"],
  message_failed: ["failed"],
  message_received: ["received"],
};
const names = Object.keys(statusesOf);

/** @throws AppError `validation_error` */
export function readActivity(at: string, given: Filter, { now }: Reading): ReadFilter {
  const { activity, within_days, at_least } = given;
  if (typeof activity !== "string") throw fault(`${at}.activity`, "wrong_type", `is one of ${names.join(", ")}`);
  const statuses = Object.hasOwn(statusesOf, activity) ? statusesOf[activity] : undefined;
  if (statuses === undefined) throw fault(`${at}.activity`, "not_allowed", `is one of ${names.join(", ")}`);
  const since = within_days === undefined ? {} : { since: now - readDays(`${at}.within_days`, within_days) * DAY_MS };
  const times = at_least === undefined ? 1 : readCount(`${at}.at_least`, at_least, TIMES_MAX);
  return { kept: given, condition: { statuses, ...since, at_least: times } };
}
