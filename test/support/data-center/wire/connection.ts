import type { Long, mtp, tl } from "@mtcute/core";
import type { TlRecord } from "#test/support/data-center/tl/read.ts";
import { decryptBinding, decryptMessage } from "./decrypt.ts";
import { RpcFailure } from "./failure.ts";
import { createHandshake } from "./handshake.ts";
import { randomLong } from "./hash.ts";
import { keyIdOf, permanent, type AuthKey } from "./keys.ts";
import { answerCall, refuseCall } from "./rpc.ts";
import { answerService } from "./service.ts";
import type { ServerKey } from "./server-key.ts";
import { createSession, type Link, type Session } from "./session.ts";
import { createTransport } from "./transport.ts";
import { partsOf, unwrap, type Part, type Unwrapped } from "./unwrap.ts";

/** The data centre to which a connection belongs. */
export interface Host<Standing> {
  dcId: number;
  serverKey: ServerKey;
  keys: Map<string, AuthKey<Standing>>;
  /** What the cloud knows of a new key. */
  newStanding(): Standing;
  /** Does what a call asks for. */
  perform(call: TlRecord, session: Session<Standing>): unknown;
}

export interface Connection<Standing> {
  sessions: Map<string, Session<Standing>>;
  receive(bytes: Uint8Array): void;
}

const AUTH_KEY_UNKNOWN = 404;
const BAD_SALT = 48;

/** One TCP connection of a client. @param socket takes bytes as they go over the wire */
export function createConnection<Standing>(host: Host<Standing>, socket: Link): Connection<Standing> {
  const transport = createTransport();
  const link: Link = { send: (packet) => socket.send(transport.pack(packet)), drop: () => socket.drop() };
  const sessions = new Map<string, Session<Standing>>();
  const handshake = createHandshake(host.serverKey, (agreed) => {
    host.keys.set(agreed.id, { ...agreed, dcId: host.dcId, standing: host.newStanding() });
  });

  const onPacket = (packet: Uint8Array) => {
    const keyId = keyIdOf(packet);
    if (keyId === "0000000000000000") {
      link.send(handshake.answer(packet));
      return;
    }
    const key = host.keys.get(keyId);
    if (key === undefined || key.dcId !== host.dcId) sendTransportError(AUTH_KEY_UNKNOWN);
    else onEncrypted(key, packet);
  };
  const sendTransportError = (code: number) => {
    const packet = new Uint8Array(4);
    new DataView(packet.buffer).setInt32(0, -code, true);
    link.send(packet);
  };

  const onEncrypted = (key: AuthKey<Standing>, packet: Uint8Array) => {
    const message = decryptMessage(key, packet);
    const sessionKey = `${key.id}:${message.sessionId.toString()}`;
    const known = sessions.get(sessionKey);
    const session = known ?? createSession(message.sessionId, key, link);
    if (message.salt.neq(key.salt)) {
      session.sendObject(badSalt(message.id, message.sequence, key.salt), 1, false);
      return;
    }
    sessions.set(sessionKey, session);
    if (known === undefined) session.sendObject(newSession(message.id, key.salt), 3);
    for (const part of partsOf(message)) onMessage(session, part);
  };

  const onMessage = (session: Session<Standing>, part: Part) => {
    const { call, wrappedIn } = read(part.body);
    if (call === undefined) {
      refuseCall(session, part.id, new RpcFailure(400, "INPUT_METHOD_INVALID"));
      return;
    }
    if (wrappedIn.has("invokeWithoutUpdates")) session.wantsUpdates = false;
    if (call._.startsWith("mt_")) {
      if (!answerService(session, part.id, call, () => host.keys.delete(session.key.id))) throw new Error(`an unknown ${call._}`);
      return;
    }
    if (part.sequence % 2 === 1) session.sendObject({ _: "mt_msgs_ack", msgIds: [part.id] } as mtp.RawMt_msgs_ack, 3, false);
    const isBinding = call._ === "auth.bindTempAuthKey";
    void answerCall(session, part.id, call, () => (isBinding ? bind(host, session, call) : host.perform(call, session)));
  };

  return {
    sessions,
    receive(bytes) {
      try {
        for (const packet of transport.receive(bytes)) onPacket(packet);
      } catch (error) {
        process.stderr.write(`the data centre drops a connection: ${error instanceof Error ? error.stack : String(error)}\n`);
        link.drop();
      }
    },
  };
}

/** A constructor that this layer does not know is refused, as Telegram does, and the connection goes on. */
function read(body: Uint8Array): Unwrapped | { call?: undefined; wrappedIn?: undefined } {
  try {
    return unwrap(body);
  } catch {
    return {};
  }
}

/** Perfect forward secrecy: the temporary key stands for the permanent one from now on. */
function bind<Standing>({ keys }: Host<Standing>, session: Session<Standing>, call: TlRecord): true {
  const { permAuthKeyId, encryptedMessage } = call as unknown as tl.auth.RawBindTempAuthKeyRequest;
  const key = keys.get(keyIdOf(permAuthKeyId));
  if (key === undefined) throw new RpcFailure(400, "ENCRYPTED_MESSAGE_INVALID");
  const inner = decryptBinding(key, encryptedMessage) as unknown as mtp.RawMt_bind_auth_key_inner;
  const isOurs = inner._ === "mt_bind_auth_key_inner" && keyIdOf(inner.tempAuthKeyId) === session.key.id;
  if (!isOurs) throw new RpcFailure(400, "ENCRYPTED_MESSAGE_INVALID");
  session.key.boundTo = permanent(key);
  return true;
}

function badSalt(badMsgId: Long, badMsgSeqno: number, newServerSalt: Long): mtp.RawMt_bad_server_salt {
  return { _: "mt_bad_server_salt", badMsgId, badMsgSeqno, errorCode: BAD_SALT, newServerSalt };
}

function newSession(firstMsgId: Long, serverSalt: Long): mtp.RawMt_new_session_created {
  return { _: "mt_new_session_created", firstMsgId, uniqueId: randomLong(), serverSalt };
}
