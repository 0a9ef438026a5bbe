import type { tl } from "@mtcute/core";
import type { Live } from "./live.ts";
import { inputOf } from "./resolve.ts";

/** Whom a link to a person means to this account. */
export function mentionIn({ peers }: Live): (user_id: number) => Promise<tl.TypeInputUser | null> {
  return async (user_id) => {
    const known = await peers.getById(user_id);
    const input = known === null ? null : inputOf(known);
    return input?._ === "inputPeerUser" ? { ...input, _: "inputUser" } : null;
  };
}
