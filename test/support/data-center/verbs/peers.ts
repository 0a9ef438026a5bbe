import type { Box } from "#test/support/data-center/cloud/box.ts";
import type { Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { Letter, Peer, User } from "#test/support/data-center/cloud/model.ts";
import type { PeerRef, UserRef } from "#test/support/data-center/plain.ts";

/** Finds what plain data names. All throw an Error where there is no such thing. */
export function peersOf({ users, groups }: Cloud) {
  const userOf = ({ id }: UserRef): User => users.get(id);
  const peerOf = ({ id }: PeerRef): Peer => users.find(id) ?? groups.get(id);
  const boxOf = (ref: PeerRef): Box => peerOf(ref).box;
  return {
    userOf,
    peerOf,
    boxOf,
    /** The message that has this number in a box. */
    letterOf(owner: PeerRef, id: number): Letter {
      const letter = boxOf(owner).letters.get(id);
      if (letter === undefined) throw new Error(`there is no message ${id} in the box of ${owner.id}`);
      return letter;
    },
  };
}
