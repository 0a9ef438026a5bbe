import type { Enrollment, Sequence } from "#src/modules/sequences/model.ts";
import type { SequenceStatistics } from "#src/modules/sequences/statistics-model.ts";
import type { Event } from "#src/modules/events/model.ts";
import type { TestApp } from "./app.ts";
import type { Answer, Caller } from "./client.ts";
import { eventsOf } from "./scoring.ts";

/** A step that sends a text from the sandbox account. */
export const sending = (text: string, more: object = {}) => ({ type: "send", text, account_id: 7421, ...more });
export const waiting = (duration: string, more: object = {}) => ({ type: "wait", for: duration, ...more });

let named = 0;

/** Makes a sequence and activates it. @throws Error when it is refused */
export async function makeSequence(caller: Caller, ask: object): Promise<string> {
  const { status, body, text } = await caller.post<Sequence>("/v1/sequences", { name: `Sequence ${++named}`, ...ask });
  if (status !== 201) throw new Error(`the sequence was refused: ${text}`);
  const activated = await caller.post(`/v1/sequences/${body.id}/activate`);
  if (activated.status !== 200) throw new Error(`the sequence was not activated: ${activated.text}`);
  return body.id;
}

export function tryToEnroll(caller: Caller, sequence: string, ask: object): Promise<Answer<Enrollment>> {
  return caller.post(`/v1/sequences/${sequence}/enroll`, ask);
}

/** Lets a contact in, and gives the enrollment's id. @throws Error when it is refused */
export async function enroll(caller: Caller, sequence: string, contact_id: string, more: object = {}): Promise<string> {
  const { status, body, text } = await tryToEnroll(caller, sequence, { contact_id, ...more });
  if (status !== 200) throw new Error(`the contact was not enrolled: ${text}`);
  return body.id;
}

export async function enrollmentOf(caller: Caller, sequence: string, id: string): Promise<Enrollment> {
  return (await caller.get<Enrollment>(`/v1/sequences/${sequence}/enrollments/${id}`)).body;
}

/** All who are in a sequence, or were, those who came first at the front. */
export async function enrollmentsIn(caller: Caller, sequence: string, query = ""): Promise<Enrollment[]> {
  const { body } = await caller.get<{ items: Enrollment[] }>(`/v1/sequences/${sequence}/enrollments?limit=200${query}`);
  return body.items.toReversed();
}

/** A verb on an enrollment, such as `pause`. */
export function turn(caller: Caller, sequence: string, id: string, verb: string, ask?: object, headers?: Record<string, string>) {
  return caller.post<Enrollment>(`/v1/sequences/${sequence}/enrollments/${id}/${verb}`, ask, headers);
}

export async function statisticsOf(caller: Caller, sequence: string, query = ""): Promise<SequenceStatistics> {
  return (await caller.get<SequenceStatistics>(`/v1/sequences/${sequence}/statistics${query}`)).body;
}

interface Out {
  text: string;
  account_id: number;
  contact_id: string;
  created_at: string;
}

/** What was written to contacts, the oldest first. */
export async function outOf(caller: Caller): Promise<Out[]> {
  const { body } = await caller.get<{ items: Out[] }>("/v1/messages?limit=200&direction=out");
  return body.items.toReversed();
}

export const textsOf = async (caller: Caller): Promise<string[]> => (await outOf(caller)).map(({ text }) => text);

/** What was told under one of these names; each is held against its schema on the way. */
export async function toldOf(caller: Caller, ...types: string[]): Promise<Event[]> {
  return (await eventsOf(caller)).filter(({ event }) => types.includes(event));
}

/**
 * Moves the clock to each moment at which somebody in a sequence falls due, and to the end of the time given (ms).
 * @param isOver ends it ahead of that
 */
export async function journey(
  { db, clock, settled }: Pick<TestApp, "db" | "clock" | "settled">,
  ms: number,
  isOver = () => false,
): Promise<void> {
  const until = clock.now() + ms;
  await settled();
  while (!isOver() && clock.now() < until) {
    const due = db.read.selectFrom("enrollments").select("due_at").where("due_at", "is not", null).orderBy("due_at").limit(1);
    const at = Math.min((await due.executeTakeFirst())?.due_at ?? until, until);
    if (isOver()) return;
    clock.advance(Math.max(1, at - clock.now()));
    await settled();
  }
}
