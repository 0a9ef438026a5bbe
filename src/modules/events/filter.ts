import { invalidField } from "#src/core/errors.ts";
import { type Scope, scopes as allScopes } from "#src/core/principal.ts";
import { type EventType, eventTypes, knownEventTypes } from "./model.ts";

/** Which scopes let a key read an event, by what it is about. */
const readers: Record<string, readonly Scope[]> = {
  message: ["read:messages"],
  account: ["read:messages", "write:messages", "manage:accounts"],
  subscription: ["manage:keys"],
  contact: ["read:contacts"],
  lead: ["read:contacts"],
  sequence: ["read:messages", "manage:sequences"],
  // It tells all of the contact.
  "sequence.webhook": ["read:contacts"],
  // Each job has scopes of its own, which are looked at one by one.
  job: allScopes,
  broadcast: ["read:messages"],
  webhook: ["manage:webhooks"],
};

/** What a reader gets of the log. */
export interface EventFilter {
  /** Those that were asked for and may be read; may be none. */
  types: readonly EventType[];
  /** Id of what the events are about. */
  subject?: string;
}

/** What a client narrows the log by. */
export interface FilterAsk {
  /** Names and `noun.*`, separated by commas. */
  type?: string;
  subject?: string;
}

/**
 * What a key with these scopes gets of what it asks for.
 * @throws AppError `validation_error` for a name that is not known, with those that are
 */
export function readFilter({ type, subject }: FilterAsk, scopes: ReadonlySet<string>): EventFilter {
  const names = type?.split(",").map((name) => name.trim());
  for (const name of names ?? []) checkName(name);
  const types = eventTypes.filter((one) => mayRead(one, scopes) && (names?.some((name) => covers(name, one)) ?? true));
  return { types, ...(subject === undefined ? {} : { subject }) };
}

/** Whether it leaves nothing out. */
export function isWhole({ types, subject }: EventFilter): boolean {
  return types.length === eventTypes.length && subject === undefined;
}

/** Whether an event's kind of work has to be looked at by itself. */
export const isOfJob = ({ type }: { type: string }): boolean => type.startsWith("job.");

const covers = (name: string, type: string) => name === type || (name.endsWith(".*") && type.startsWith(name.slice(0, -1)));

function checkName(name: string): void {
  if (knownEventTypes.some((known) => covers(name, known))) return;
  const known = knownEventTypes.join(", ");
  throw invalidField("type", "not_allowed", `There is no event of this name. Known are ${known}, and all of a kind as message.*.`, name);
}

function mayRead(type: EventType, scopes: ReadonlySet<string>): boolean {
  return (readers[type] ?? readers[type.slice(0, type.indexOf("."))]!).some((scope) => scopes.has(scope));
}
