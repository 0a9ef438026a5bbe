import type { Attempt } from "./attempt.ts";
import { Failure } from "./failure.ts";
import { createLine, type Line, type LineEvents } from "./line.ts";
import type { Target } from "./target.ts";

/** A connection that is being made. */
export interface Dial {
  /** Rejects with a Failure. */
  line: Promise<Line>;
  /** Nobody waits for it any more. */
  leave(): void;
  /** Settles when the system has done with connecting, left or not. */
  over: Promise<void>;
}

/** What a socket tells, first to the dial, then to the line. */
interface Ear extends LineEvents {
  open(socket: Bun.Socket<Ear>): void;
  shaken(socket: Bun.Socket<Ear>, error: Error | null): void;
}

const handlers: Bun.SocketHandler<Ear> = {
  open: (socket) => socket.data.open(socket),
  data: (socket, chunk) => socket.data.data(chunk),
  drain: (socket) => socket.data.drain(),
  end: (socket) => socket.data.ended(),
  close: (socket) => socket.data.closed(),
  error: (socket, error) => socket.data.erred(error),
};
const secureHandlers: Bun.SocketHandler<Ear> = {
  ...handlers,
  handshake: (socket, isTrusted, error) => socket.data.shaken(socket, isTrusted ? error : (error ?? new Error("not trusted"))),
};

/**
 * Connects to an address, and for https:// shakes hands: with SNI, and a certificate that must be valid for the target's name.
 * @param address must have been judged
 * @param ca certificates (PEM) to trust instead of the system's
 */
export function dial(target: Target, address: string, judgedAt: number, attempt: Attempt, ca: string | undefined): Dial {
  const { promise: line, resolve, reject } = Promise.withResolvers<Line>();
  const connected = Promise.withResolvers<void>();
  let isLeft = false;
  let made: (Line & LineEvents) | null = null;
  let open: Bun.Socket<Ear> | null = null;

  const ready = (socket: Bun.Socket<Ear>) => {
    made = createLine(socket, address, judgedAt);
    resolve(made);
  };
  const ear: Ear = {
    open(socket) {
      connected.resolve();
      open = socket;
      if (isLeft) return socket.terminate();
      socket.setNoDelay(true);
      if (!target.isSecure) return ready(socket);
      attempt.stage = "tls";
    },
    shaken(socket, error) {
      // A second handshake has nothing to say: the line is whose it was.
      if (made !== null) return;
      if (error === null || error === undefined) return ready(socket);
      reject(new Failure("tls", wordsOfTls(error)));
      socket.terminate();
    },
    data: (chunk) => made?.data(chunk),
    drain: () => made?.drain(),
    ended: () => made?.ended(),
    erred(error) {
      if (made !== null) return made.erred(error);
      reject(error);
      open?.terminate();
    },
    closed() {
      if (made === null) reject(new Failure(target.isSecure ? "tls" : "connect", "the connection was closed at once"));
      else made.closed();
    },
  };
  const tls = target.isSecure
    ? { serverName: target.serverName, rejectUnauthorized: true, ...(ca === undefined ? {} : { ca }) }
    : undefined;
  const options = { hostname: address, port: target.port, socket: target.isSecure ? secureHandlers : handlers, data: ear };
  const connect = async () => Bun.connect<Ear>(tls === undefined ? options : { ...options, tls });
  connect().catch((error: unknown) => {
    connected.resolve();
    reject(new Failure("connect", wordsOfConnect(error)));
  });
  // Whoever leaves hears nothing more of it.
  line.catch(() => undefined);
  return {
    line,
    over: connected.promise,
    leave() {
      isLeft = true;
      open?.terminate();
    },
  };
}

function wordsOfConnect(error: unknown): string {
  switch ((error as { code?: unknown }).code) {
    case "ECONNREFUSED":
      return "the connection was refused";
    case "ENETUNREACH":
    case "EHOSTUNREACH":
      return "no way leads there";
    case "ETIMEDOUT":
      return "nobody answered";
    default:
      return "no connection came about";
  }
}

function wordsOfTls(error: Error): string {
  switch ((error as { code?: unknown }).code) {
    case "CERT_HAS_EXPIRED":
      return "the certificate has expired";
    case "CERT_NOT_YET_VALID":
      return "the certificate is not valid yet";
    case "ERR_TLS_CERT_ALTNAME_INVALID":
      return "the certificate is for another name";
    case "DEPTH_ZERO_SELF_SIGNED_CERT":
      return "the certificate is signed by itself";
    case "SELF_SIGNED_CERT_IN_CHAIN":
    case "UNABLE_TO_GET_ISSUER_CERT":
    case "UNABLE_TO_GET_ISSUER_CERT_LOCALLY":
    case "UNABLE_TO_VERIFY_LEAF_SIGNATURE":
      return "nobody who is trusted has signed the certificate";
    case "CERT_REVOKED":
      return "the certificate was revoked";
    default:
      return "the TLS handshake failed";
  }
}
