import { BotApiFailure, type Parameters } from "./failure.ts";
import type { Connection } from "./front.ts";
import { matches } from "./match.ts";
import type { CallMatch } from "./model.ts";

/** What goes wrong with a call. `done` says whether the call takes effect before; without it, it does not. */
export type Fault =
  /** An HTTP status with, by default, a page of HTML, as a proxy in front of the Bot API gives. */
  | { kind: "status"; status: number; headers?: Record<string, string>; body?: string; done?: boolean }
  /** A refusal in the Bot API's own form. */
  | { kind: "error"; error_code: number; description: string; parameters?: Parameters; done?: boolean }
  /** Status 200 with a body, by default one that is no JSON. */
  | { kind: "garbage"; body?: string; done?: boolean }
  /** Takes effect at once and is answered late. */
  | { kind: "slow"; ms: number }
  /** No answer ever. */
  | { kind: "hang"; done?: boolean }
  /** The request is read, then the connection is reset. */
  | { kind: "reset"; done?: boolean }
  /** These bytes instead of an answer, then the connection is closed: half an answer, or what is no HTTP. */
  | { kind: "raw"; bytes: string; done?: boolean }
  /** The next bytes that arrive on any connection, new or reused, are not looked at and the connection is reset. */
  | { kind: "unread" };

/** The faults that tests have asked for, played in order, each as often as asked. */
export interface Faults {
  add(fault: Fault, match?: CallMatch & { times?: number }): void;
  clear(): void;
  take(call: Required<CallMatch>): Fault | undefined;
  takeUnread(): boolean;
}

interface Scripted {
  fault: Fault;
  match: CallMatch;
  left: number;
}

export function createFaults(): Faults {
  let script: Scripted[] = [];
  const takeFirst = (isMeant: (scripted: Scripted) => boolean) => {
    const found = script.find(isMeant);
    if (found === undefined) return undefined;
    found.left--;
    if (found.left === 0) script = script.filter((scripted) => scripted !== found);
    return found.fault;
  };
  return {
    add: (fault, { times = 1, ...match } = {}) => void script.push({ fault, match, left: times }),
    clear: () => void (script = []),
    take: (call) => takeFirst(({ fault, match }) => fault.kind !== "unread" && matches(match, call)),
    takeUnread: () => takeFirst(({ fault }) => fault.kind === "unread") !== undefined,
  };
}

/** @param perform does the call and gives its answer */
export async function playFault(
  fault: Fault,
  connection: Connection,
  signal: AbortSignal,
  perform: () => Promise<Response>,
): Promise<Response> {
  if ("done" in fault && fault.done) await perform();
  switch (fault.kind) {
    case "status":
      return new Response(fault.body ?? "<html>", { status: fault.status, headers: { "content-type": "text/html", ...fault.headers } });
    case "error":
      return new BotApiFailure(fault.error_code, fault.description, fault.parameters).toResponse();
    case "garbage":
      return new Response(fault.body ?? "<html>It works!</html>", { headers: { "content-type": "application/json" } });
    case "slow":
      return delayed(await perform(), fault.ms);
    case "raw":
      connection.end(fault.bytes);
      return gone(signal);
    case "reset":
      connection.reset();
      return gone(signal);
    case "hang":
    case "unread":
    default:
      return gone(signal);
  }
}

function delayed(response: Response, ms: number): Promise<Response> {
  return new Promise((resolve) => setTimeout(resolve, ms, response));
}

/** Answers nobody, once the client has gone. */
function gone(signal: AbortSignal): Promise<Response> {
  return new Promise((resolve) => {
    const leave = () => resolve(new Response());
    if (signal.aborted) leave();
    else signal.addEventListener("abort", leave);
  });
}
