import type { Event, EventType } from "#src/modules/events/model.ts";
import { payloads } from "#src/modules/events/payloads.ts";
import type { Tenant, TestApp } from "./app.ts";
import type { Caller } from "./client.ts";

export interface EventPage {
  items: Event[];
  limit: number;
  has_more: boolean;
  next_cursor: string | null;
}

/** A page of the log. @param query with its question mark */
export async function listEvents(caller: Pick<Caller, "get">, query = ""): Promise<EventPage> {
  return (await caller.get<EventPage>(`/v1/events${query}`)).body;
}

/** Follows `after` until there is no more, as a receiver does. @param query without its question mark */
export async function followEvents(
  caller: Caller,
  query: string,
  after: string | null = null,
): Promise<{ seen: Event[]; last: string | null }> {
  const seen: Event[] = [];
  for (;;) {
    const page = await listEvents(caller, `?${query}${after === null ? "" : `&after=${after}`}`);
    seen.push(...page.items);
    after = page.next_cursor;
    if (!page.has_more) return { seen, last: after };
  }
}

/** Resolves once something holds: looks with each event that is written in the environment. */
export async function untilNews(
  { services }: Pick<TestApp, "services">,
  { env_id }: Pick<Tenant, "env_id">,
  holds: () => Promise<boolean>,
): Promise<void> {
  let news = Promise.withResolvers<void>();
  const unfollow = services.feed.follow(env_id, () => news.resolve());
  for (let isSo = await holds(); !isSo; isSo = await holds()) {
    await news.promise;
    news = Promise.withResolvers<void>();
  }
  unfollow();
}

/** Writes events down that nothing has caused, in one transaction. */
export async function appendEvents(
  { db, services }: Pick<TestApp, "db" | "services">,
  { env_id }: Pick<Tenant, "env_id">,
  type: EventType,
  subjects: readonly string[],
): Promise<void> {
  const data = payloads[type].example;
  await db.write((tx) => {
    for (const subject of subjects) services.events.append(tx, env_id, { type, subject, actor: "job", data });
  });
}
