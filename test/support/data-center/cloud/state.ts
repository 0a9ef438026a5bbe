import type { tl } from "@mtcute/core";
import { unixTime } from "./cloud.ts";
import type { User } from "./model.ts";

/** Up to where someone knows what happened. */
export function stateOf({ box }: User, pts = box.pts): tl.updates.RawState {
  return { _: "updates.state", pts, qts: 0, date: unixTime(), seq: 0, unreadCount: 0 };
}
