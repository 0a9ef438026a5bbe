import { setTimeout as wait } from "node:timers/promises";

/** Who is written to, by whom. */
export interface Target {
  account_id: number;
  to: number | string;
}

/** One message that a client wants sent, and what it knows of it. */
export interface Send extends Target {
  /** Unique, the first word of its text, and its Idempotency-Key. */
  marker: string;
  /** The message's id, once a 200 has come; without one the client knows nothing. */
  id: string | null;
  /** False for a client that gives up when it gets no answer. */
  patient: boolean;
}

interface LoadOptions {
  key: string;
  targets: readonly Target[];
  /** Where the server is at the moment, once there is one. */
  url(): Promise<string>;
  /** Requests at once. */
  connections: number;
  /** What a connection waits between two requests (ms). */
  pauseMs: number;
}

export interface Load {
  sends: readonly Send[];
  /** Answers that are neither a success nor a request to repeat. */
  unexpected: readonly string[];
  /** Begins no more messages, repeats what was not answered until it is, and ends. */
  finish(): Promise<void>;
  /** Ends at once: what was not answered stays so. */
  leave(): Promise<void>;
}

/** Of the clients, one in so many gives up on a request that is not answered, and one in so many texts has a variable. */
const IMPATIENT_EVERY = 8;
const VARIABLE_EVERY = 10;

/** Sends messages over several connections, as careful clients do: what is not answered is repeated with its Idempotency-Key. */
export function startLoad({ key, targets, url, connections, pauseMs }: LoadOptions): Load {
  const sends: Send[] = [];
  const unanswered: Send[] = [];
  const unexpected: string[] = [];
  let phase: "sending" | "finishing" | "over" = "sending";

  /** What was not answered goes first. */
  function next(): Send | undefined {
    if (phase === "over") return undefined;
    const again = unanswered.shift();
    if (again !== undefined || phase !== "sending") return again;
    const number = sends.length;
    const target = targets[number % targets.length]!;
    const send = { ...target, marker: `m${number}-${crypto.randomUUID()}`, id: null, patient: number % IMPATIENT_EVERY !== 0 };
    sends.push(send);
    return send;
  }

  async function attempt(send: Send): Promise<void> {
    const { account_id, to, marker } = send;
    const text = Number(marker.slice(1, marker.indexOf("-"))) % VARIABLE_EVERY === 0 ? `${marker} {first_name}` : marker;
    try {
      const response = await fetch(`${await url()}/v1/messages/send`, {
        method: "POST",
        headers: { authorization: `Bearer ${key}`, "content-type": "application/json", "idempotency-key": marker },
        body: JSON.stringify({ account_id, to, text }),
      });
      const answer = await response.text();
      if (response.status === 200) send.id = (JSON.parse(answer) as { id: string }).id;
      else if (response.status === 503) repeatLater(send);
      else unexpected.push(`${response.status} ${answer}`);
    } catch {
      repeatLater(send);
    }
  }

  function repeatLater(send: Send): void {
    if (send.patient) unanswered.push(send);
  }

  async function connection(): Promise<void> {
    for (let send = next(); send !== undefined; send = next()) {
      await attempt(send);
      await wait(pauseMs);
    }
  }

  const running = Array.from({ length: connections }, connection);
  return {
    sends,
    unexpected,
    async finish() {
      phase = "finishing";
      await Promise.all(running);
      // A connection may have ended while another one's last request was still to be repeated.
      await connection();
    },
    async leave() {
      phase = "over";
      await Promise.all(running);
    },
  };
}
