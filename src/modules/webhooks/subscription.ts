/** Everything that there is and will be. */
export const EVERYTHING = "*";

/** Whether an endpoint has asked for events of this type: by name, by `noun.*`, or for all. @param events as they were given */
export function subscribes(events: readonly string[], type: string): boolean {
  return events.some((name) => name === EVERYTHING || name === type || (name.endsWith(".*") && type.startsWith(name.slice(0, -1))));
}
