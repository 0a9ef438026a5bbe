import { invalidField } from "#src/core/errors.ts";
import { EVERYTHING, subscribes } from "./subscription.ts";

/** What endpoints need to know of the events that there are. */
export interface EventKinds {
  /** All names, those that are announced and that nothing writes yet among them. */
  types: readonly string[];
  /** JSON Schema of an event as it is sent; null of one that is announced. */
  schemaOf(type: string): object | null;
  /** One as it is sent; null of one that is announced. */
  exampleOf(type: string): object | null;
}

/** @throws AppError `validation_error` on the name that there isn't, with those that there are */
export function checkEvents(events: readonly string[], known: readonly string[]): void {
  for (const [at, name] of events.entries()) {
    if (name === EVERYTHING || known.includes(name)) continue;
    if (name.endsWith(".*") && known.some((type) => subscribes([name], type))) continue;
    throw invalidField(`events.${at}`, "not_allowed", `There is no event ${JSON.stringify(name)}. ${tellKnown(known)}`, name);
  }
}

/** @throws AppError `validation_error` on `event` */
export function checkEvent(name: string, known: readonly string[]): void {
  if (!known.includes(name))
    throw invalidField("event", "not_allowed", `There is no event ${JSON.stringify(name)}. ${tellKnown(known)}`, name);
}

const tellKnown = (known: readonly string[]) => `There is ${known.join(", ")}; all of a kind by its noun, such as contact.*; and *.`;

/** The events that an endpoint asks for. @returns null for all */
export function typesOf(events: readonly string[], known: readonly string[]): string[] | null {
  return events.includes(EVERYTHING) ? null : known.filter((type) => subscribes(events, type));
}
