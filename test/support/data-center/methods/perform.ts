import { permanent } from "#test/support/data-center/wire/keys.ts";
import { RpcFailure } from "#test/support/data-center/wire/failure.ts";
import type { TlRecord } from "#test/support/data-center/tl/read.ts";
import type { CallRecord, Cloud } from "#test/support/data-center/cloud/cloud.ts";
import type { ClientSession, Key, User } from "#test/support/data-center/cloud/model.ts";
import type { Call, Methods } from "./call.ts";
import { changeMethods } from "./change.ts";
import { codeMethods } from "./code.ts";
import { contactMethods } from "./contacts.ts";
import { dialogMethods } from "./dialogs.ts";
import { groupMethods } from "./groups.ts";
import { helpMethods } from "./help.ts";
import { historyMethods } from "./history.ts";
import { moveMethods } from "./move.ts";
import { passwordMethods } from "./password.ts";
import { qrMethods } from "./qr.ts";
import { readingMethods } from "./reading.ts";
import { sendMethods } from "./send.ts";
import { topicMethods } from "./topics.ts";
import { updatesMethods } from "./updates.ts";
import { uploadMethods } from "./upload.ts";
import { userMethods } from "./users.ts";

type AnyMethod = (request: TlRecord, call: Call) => unknown;

/** Does what clients ask for, and notes every call. */
export function createPerform(cloud: Cloud): (dcId: number) => (request: TlRecord, session: ClientSession) => Promise<unknown> {
  const methods: Methods = {
    ...helpMethods(cloud),
    ...codeMethods(cloud),
    ...passwordMethods(),
    ...qrMethods(cloud),
    ...moveMethods(cloud),
    ...updatesMethods(cloud),
    ...userMethods(cloud),
    ...contactMethods(cloud),
    ...sendMethods(cloud),
    ...changeMethods(cloud),
    ...readingMethods(cloud),
    ...historyMethods(cloud),
    ...dialogMethods(cloud),
    ...uploadMethods(cloud),
    ...groupMethods(cloud),
    ...topicMethods(cloud),
  };
  return (dcId) => async (request, session) => {
    const key = permanent(session.key);
    const userId = key.standing.user?.id;
    const record: CallRecord = { at: Date.now(), method: request._, ...(userId !== undefined && { userId }), dcId, request };
    cloud.calls.push(record);
    const call: Call = {
      key,
      session,
      dcId,
      get me() {
        return requireUser(key, request._, dcId);
      },
    };
    const method = methods[request._ as keyof Methods] as AnyMethod | undefined;
    const perform = () => {
      if (method === undefined) throw new RpcFailure(400, "METHOD_NOT_EMULATED");
      return method(request, call);
    };
    try {
      return await cloud.faults.play(request._, userId, perform, () => session.drop());
    } catch (error) {
      record.error = error instanceof RpcFailure ? error.text : String(error);
      throw error;
    } finally {
      cloud.changes.notify();
    }
  };
}

/** @throws RpcFailure if nobody is logged in over this key, or someone who belongs to another data centre */
function requireUser({ standing: { user, revoked } }: Key, method: string, dcId: number): User {
  if (revoked !== undefined) throw new RpcFailure(revoked === "AUTH_KEY_DUPLICATED" ? 406 : 401, revoked);
  if (user === undefined) throw new RpcFailure(401, "AUTH_KEY_UNREGISTERED");
  // Files can be had from anywhere.
  if (user.homeDc !== dcId && !method.startsWith("upload.")) throw new RpcFailure(303, `USER_MIGRATE_${user.homeDc}`);
  return user;
}
