import { setTimeout as wait } from "node:timers/promises";
import type { Bot } from "#test/support/bot-api/model.ts";
import { type Caller, type Client, createClient } from "#test/support/client.ts";
import type { Message } from "#src/modules/messages/model.ts";
import { type Env, type Posthouse, runPosthouse } from "./posthouse.ts";

const LIVE_SCOPES = "manage:accounts,write:messages,read:messages,write:contacts,manage:keys";
const LOOK_EVERY_MS = 20;
const SETTLED_MS_MAX = 15_000;
const RATE_LIMIT = 1_000_000_000;

/** Speaks to a running executable; every answer is held against the contract and the reference that it serves. */
export function connect({ url }: Pick<Posthouse, "url">): Promise<Client> {
  const fetchThere = (request: Request) => {
    const { pathname, search } = new URL(request.url);
    return fetch(new Request(`${url}${pathname}${search}`, request));
  };
  return createClient(fetchThere, { lenient: false });
}

/** Makes a live key by the command, beside the running server. */
export async function makeLiveKey({ folder }: Pick<Posthouse, "folder">, env: Env = {}): Promise<string> {
  const flags = ["--name", "live", "--scopes", LIVE_SCOPES, "--rate-limit", String(RATE_LIMIT), "--json"];
  const { code, out, err } = await runPosthouse(folder, ["keys", "create", ...flags], env);
  if (code !== 0) throw new Error(`no live key: ${err}`);
  return (JSON.parse(out) as { key: string }).key;
}

/** @returns the account's id */
export async function connectBot(live: Caller, { token }: Pick<Bot, "token">): Promise<number> {
  const { status, text, body } = await live.post<{ id: number }>("/v1/accounts", { kind: "telegram_bot", token });
  if (status !== 201) throw new Error(`the bot is not connected: ${text}`);
  return body.id;
}

/** Sends a message. @returns its id */
export async function send(caller: Caller, account_id: number, to: string | number, text: string): Promise<string> {
  const answer = await caller.post<{ id: string }>("/v1/messages/send", { account_id, to, text });
  if (answer.status !== 200) throw new Error(`not sent: ${answer.text}`);
  return answer.body.id;
}

/** @returns the message once it satisfies @throws Error with the message when it does not within 15 s */
export async function messageWhen(caller: Caller, id: string, satisfies: (message: Message) => boolean): Promise<Message> {
  const read = () => caller.get<Message>(`/v1/messages/${id}`).then(({ body }) => body);
  return eventually(`message ${id} does not become what is awaited`, read, satisfies);
}

/** @returns the message once it is sent or has failed */
export function outcomeOf(caller: Caller, id: string): Promise<Message> {
  return messageWhen(caller, id, ({ status }) => status !== "queued" && status !== "sending");
}

/** Asks again until the answer satisfies. @throws Error with the last answer after 15 s, or after so many milliseconds */
export async function eventually<T>(
  title: string,
  ask: () => Promise<T>,
  satisfies: (answer: T) => boolean,
  msMax = SETTLED_MS_MAX,
): Promise<T> {
  const end = performance.now() + msMax;
  for (;;) {
    const answer = await ask();
    if (satisfies(answer)) return answer;
    if (performance.now() > end) throw new Error(`${title}: ${JSON.stringify(answer)}`);
    await wait(LOOK_EVERY_MS);
  }
}

/** Resolves when nothing is queued or on the wire. @throws Error with how much is left after that time */
export async function queueEmpty(caller: Caller, msMax?: number): Promise<void> {
  const count = async (status: string) => (await caller.get<{ total: number }>(`/v1/messages?status=${status}&limit=1`)).body.total;
  const left = async () => (await count("queued")) + (await count("sending"));
  await eventually("messages still wait", left, (messages) => messages === 0, msMax);
}
