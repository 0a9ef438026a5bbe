import type { Long, mtp } from "@mtcute/core";
import type { TlRecord } from "#test/support/data-center/tl/read.ts";
import { write } from "#test/support/data-center/tl/write.ts";
import type { Session } from "./session.ts";

const FUTURE_SALTS = 0xae500895;
const DAY_SECONDS = 86_400;
/** "Received": what the state of any message that is asked for is said to be. */
const RECEIVED = 4;

/** Answers what keeps a session going and no user ever asks for. @returns false if it does not know the message */
export function answerService(session: Session, id: Long, message: TlRecord, forgetKey: () => void): boolean {
  const request = message as unknown as mtp.TlObject;
  switch (request._) {
    case "mt_ping":
    case "mt_ping_delay_disconnect":
      session.sendObject({ _: "mt_pong", msgId: id, pingId: request.pingId } as mtp.RawMt_pong, 1, false);
      return true;
    case "mt_msgs_ack":
      return true;
    case "mt_get_future_salts":
      session.send(futureSalts(id, session.key.salt), 1, false);
      return true;
    case "mt_msgs_state_req": {
      const info = new Uint8Array(request.msgIds.length).fill(RECEIVED);
      session.sendObject({ _: "mt_msgs_state_info", reqMsgId: id, info } as mtp.RawMt_msgs_state_info, 1, false);
      return true;
    }
    case "mt_destroy_session":
      session.sendObject({ _: "mt_destroy_session_ok", sessionId: request.sessionId } as mtp.RawMt_destroy_session_ok, 1, false);
      return true;
    case "mt_rpc_drop_answer":
      session.sendObject({ _: "mt_rpc_answer_unknown" }, 1);
      return true;
    case "mt_destroy_auth_key":
      session.sendObject({ _: "mt_destroy_auth_key_ok" }, 1);
      forgetKey();
      return true;
    default:
      return false;
  }
}

/** One salt, good for a day: a bare list of bare objects, which no schema writes. */
function futureSalts(id: Long, salt: Long): Uint8Array {
  const now = Math.floor(Date.now() / 1000);
  return write(40, (writer) => {
    writer.uint(FUTURE_SALTS);
    writer.long(id);
    writer.int(now);
    writer.uint(1);
    writer.int(now - 10);
    writer.int(now + DAY_SECONDS);
    writer.long(salt);
  });
}
