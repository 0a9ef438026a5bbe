import { type EventType, eventTypes, knownEventTypes } from "#src/modules/events/model.ts";
import { eventSchema, exampleEvent } from "#src/modules/events/payloads.ts";
import type { EventKinds } from "#src/modules/webhooks/event-names.ts";

const isEmitted = (type: string): type is EventType => (eventTypes as readonly string[]).includes(type);

/** What endpoints know of events. */
export const eventKinds: EventKinds = {
  types: knownEventTypes,
  schemaOf: (type) => (isEmitted(type) ? eventSchema(type) : null),
  exampleOf: (type) => (isEmitted(type) ? exampleEvent(type) : null),
};
