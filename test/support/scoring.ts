import type { Event } from "#src/modules/events/model.ts";
import type { NewScoreRule, Score, ScoreRule } from "#src/modules/scoring/model.ts";
import type { Caller } from "./client.ts";

/** @throws Error when the rule is refused */
export async function makeRule(
  caller: Caller,
  points: number,
  when: NewScoreRule["when"],
  decay_days: number | null = null,
): Promise<ScoreRule> {
  const name = when.event ?? when.attribute ?? when.field ?? "";
  const { status, body, text } = await caller.post<ScoreRule>("/v1/scoring/rules", { name, points, when, decay_days });
  if (status !== 201) throw new Error(`the rule was refused: ${text}`);
  return body;
}

export async function makeContact(caller: Caller, ask: object): Promise<string> {
  return (await caller.post<{ id: string }>("/v1/contacts", ask)).body.id;
}

export async function scoreOf(caller: Caller, id: string): Promise<Score> {
  return (await caller.get<{ score: Score }>(`/v1/contacts/${id}`)).body.score;
}

export async function totalOf(caller: Caller, id: string): Promise<number> {
  return (await scoreOf(caller, id)).total;
}

/** The whole log. */
export async function eventsOf(caller: Caller): Promise<Event[]> {
  const events: Event[] = [];
  let after: string | null = null;
  for (let more = true; more;) {
    const query: string = after === null ? "" : `&after=${after}`;
    const { body } = await caller.get<{ items: Event[]; has_more: boolean; next_cursor: string }>(`/v1/events?limit=200${query}`);
    events.push(...body.items);
    [after, more] = [body.next_cursor, body.has_more];
  }
  return events;
}

/** What `lead.scored` has told so far: threshold, score before, score. */
export async function crossings(caller: Caller): Promise<[number, number, number][]> {
  const told = (await eventsOf(caller)).filter(({ event }) => event === "lead.scored");
  return told.map(({ data }) => {
    const { threshold, previous_score, score } = data as Record<string, number>;
    return [threshold!, previous_score!, score!];
  });
}
