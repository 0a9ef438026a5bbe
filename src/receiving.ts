import type { Clock } from "#src/core/clock.ts";
import { createSightings } from "#src/modules/contacts/sightings.ts";
import type { ContactService } from "#src/modules/contacts/service.ts";
import type { ContactStore } from "#src/modules/contacts/store.ts";
import type { Channel } from "#src/modules/messages/channel.ts";
import { createReceiver, type ReceiverNeeds } from "#src/modules/messages/receive.ts";
import { createSandboxService } from "#src/modules/sandbox/service.ts";

interface Needs extends Pick<
  ReceiverNeeds,
  "store" | "threads" | "keepFile" | "scoring" | "suppressions" | "hearsReplies" | "answered" | "appendEvent"
> {
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  accounts: Parameters<typeof createSandboxService>[0]["accounts"];
  contacts: ContactService;
  contactStore: ContactStore;
}

/** What Telegram tells of people: by messages that got to them, and by those that they write. */
export function createReceiving({ contacts, contactStore, accounts, ...needs }: Needs) {
  const { met, seen } = createSightings({ store: contactStore, patch: contacts.patch, upsert: contacts.upsert });
  const happened = createReceiver({ ...needs, seen });
  return { met, happened, sandbox: createSandboxService({ ...needs, accounts, contacts, happened }) };
}
