import { setTimeout as wait } from "node:timers/promises";
import type { Acknowledged } from "./webhook-records.ts";

interface EventLoadOptions {
  key: string;
  /** Where the server is at the moment, once there is one. */
  url(): Promise<string>;
  /** Requests to make in all. */
  requests: number;
  connections: number;
  /** What a connection waits between two requests (ms). */
  pauseMs: number;
}

export interface EventLoad {
  acknowledged: readonly Acknowledged[];
  /** Answers that are neither a success nor a request to repeat. */
  unexpected: readonly string[];
  /** Resolves when every request has been answered with success. */
  finished: Promise<void>;
}

const CONTACTS = 400;
/** Of the requests, one in so many sends a message, and one in so many removes a contact. */
const MESSAGE_EVERY = 4;
const REMOVAL_EVERY = 199;

interface Ask {
  method: string;
  path: string;
  body: object | null;
}

/** Makes contacts, changes them, writes to them and removes some, over several connections; what is not answered is repeated. */
export function startEventLoad({ key, url, requests, connections, pauseMs }: EventLoadOptions): EventLoad {
  const acknowledged: Acknowledged[] = [];
  const unexpected: string[] = [];
  let begun = 0;

  async function ask({ method, path, body }: Ask, idempotencyKey: string): Promise<{ id: string }> {
    for (;;) {
      try {
        const response = await fetch(`${await url()}${path}`, {
          method,
          headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": idempotencyKey },
          ...(body === null ? {} : { body: JSON.stringify(body) }),
        });
        const answer = await response.text();
        if (response.ok) return (answer === "" ? {} : JSON.parse(answer)) as { id: string };
        if (response.status !== 503) unexpected.push(`${method} ${path} gives ${response.status} ${answer}`);
        if (response.status !== 503) return { id: "" };
      } catch {
        // Nobody answered: it is asked again.
      }
      await wait(pauseMs);
    }
  }

  async function request(number: number): Promise<void> {
    const marker = `marker-${number}-${crypto.randomUUID().slice(0, 8)}`;
    const person = `person-${number % CONTACTS}`;
    if (number % REMOVAL_EVERY === 1) {
      const { id } = await ask({ method: "POST", path: "/v1/contacts", body: { external_id: marker, name: marker } }, marker);
      await ask({ method: "DELETE", path: `/v1/contacts/${id}`, body: null }, `${marker}-removed`);
    } else if (number % MESSAGE_EVERY === 0) {
      const body = { account_id: 7421, to: `@person_${number % CONTACTS}`, text: marker };
      await ask({ method: "POST", path: "/v1/messages/send", body }, marker);
    } else await ask({ method: "POST", path: "/v1/contacts", body: { external_id: person, name: marker } }, marker);
    acknowledged.push({ marker });
  }

  async function connection(): Promise<void> {
    while (begun < requests) {
      await request(begun++);
      await wait(pauseMs);
    }
  }

  const running = Array.from({ length: connections }, connection);
  return { acknowledged, unexpected, finished: Promise.all(running).then(() => undefined) };
}
