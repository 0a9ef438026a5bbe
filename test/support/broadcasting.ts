import type { Page } from "#src/core/page.ts";
import type { Broadcast, NewBroadcast, Recipient } from "#src/modules/broadcasts/model.ts";
import type { Message } from "#src/modules/messages/model.ts";
import type { TestApp } from "./app.ts";
import type { Answer, Caller } from "./client.ts";

type Named = Pick<Broadcast, "id">;

/** Makes contacts that the sandbox reaches. @returns their ids */
export async function makePeople(caller: Caller, names: readonly string[], tags: readonly string[] = ["vip"]): Promise<string[]> {
  const ids: string[] = [];
  for (const username of names) ids.push((await caller.post<{ id: string }>("/v1/contacts", { username, tags })).body.id);
  return ids;
}

export const some = (count: number) => Array.from({ length: count }, (_, at) => `person_${at}`);

/** A draft from the sandbox account to whoever has the tag `vip`, but for what is given. @throws Error when it is refused */
export async function draft(caller: Caller, ask: Partial<NewBroadcast> = {}): Promise<Broadcast> {
  const message = ask.ab_test === undefined ? { message: { text: "Hi" } } : {};
  const all = { name: "News", audience: { tag: "vip" }, ...message, account_ids: [7421], ...ask };
  const { status, body, text } = await caller.post<Broadcast>("/v1/broadcasts", all);
  if (status !== 201) throw new Error(text);
  return body;
}

/** Sends, pauses, resumes or cancels. */
export function act(caller: Caller, { id }: Named, action: "send" | "pause" | "resume" | "cancel"): Promise<Answer<Broadcast>> {
  return caller.post(`/v1/broadcasts/${id}/${action}`, undefined);
}

export async function getBroadcast(caller: Caller, { id }: Named): Promise<Broadcast> {
  return (await caller.get<Broadcast>(`/v1/broadcasts/${id}`)).body;
}

export async function recipientsOf(caller: Caller, { id }: Named, query = ""): Promise<Page<Recipient>> {
  return (await caller.get<Page<Recipient>>(`/v1/broadcasts/${id}/recipients?limit=200${query}`)).body;
}

/** What left, the newest first. */
export async function sentMessages(caller: Caller): Promise<Message[]> {
  return (await caller.get<Page<Message>>("/v1/messages?limit=200&direction=out")).body.items;
}

const QUARTER_MS = 15 * 60_000;

/** Lets time pass in quarters of an hour, which is when clocks on the wall are set: on PostgreSQL leases are renewed far more often. */
export async function pass(app: Pick<TestApp, "leap">, ms: number): Promise<void> {
  for (let left = ms; left > 0; left -= QUARTER_MS) await app.leap(Math.min(left, QUARTER_MS));
}
