import type { Place } from "#src/modules/events/model.ts";
import type { FeedEvent } from "./backlog.ts";

/** What stands in the event log after a place. */
export interface FeedPage {
  events: readonly FeedEvent[];
  last: Place;
  isEnd: boolean;
}

/** Follows the event log for many; the events module's feed is it. */
export interface Feed {
  follow(env_id: number, onNews: () => void): () => void;
  after(env_id: number, place: Place): Promise<FeedPage>;
  byIds(env_id: number, ids: readonly string[]): Promise<readonly FeedEvent[]>;
}
