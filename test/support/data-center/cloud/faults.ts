import { RpcFailure } from "#test/support/data-center/wire/failure.ts";

interface Match {
  method: string;
  /** Calls of this user alone. */
  userId?: number;
  /** 1 by default. */
  times?: number;
}

/** What goes wrong with a call. */
type Fault =
  /** Refused, and not done. */
  | { kind: "error"; code: number; text: string }
  /** Done or refused this much later. */
  | { kind: "delay"; ms: number }
  /** Done, but the connection goes down before the answer. */
  | { kind: "lost" };

/** The faults that tests have asked for, played in order, each as often as asked. */
export interface Faults {
  add(fault: Fault, match: Match): void;
  clear(): void;
  /** Does the call as the faults that meet it say. @param drop ends the connection */
  play(method: string, userId: number | undefined, perform: () => unknown, drop: () => void): Promise<unknown>;
}

interface Scripted {
  fault: Fault;
  match: Match;
  left: number;
}

export function createFaults(): Faults {
  let script: Scripted[] = [];
  const take = (kind: Fault["kind"], method: string, userId: number | undefined): Fault | undefined => {
    const meets = ({ fault, match }: Scripted) =>
      fault.kind === kind && match.method === method && (match.userId === undefined || match.userId === userId);
    const found = script.find(meets);
    if (found === undefined) return undefined;
    found.left--;
    if (found.left <= 0) script = script.filter((scripted) => scripted !== found);
    return found.fault;
  };
  return {
    add: (fault, match) => void script.push({ fault, match, left: match.times ?? 1 }),
    clear: () => void (script = []),
    async play(method, userId, perform, drop) {
      const delay = take("delay", method, userId);
      if (delay?.kind === "delay") await new Promise((resolve) => setTimeout(resolve, delay.ms));
      const error = take("error", method, userId);
      if (error?.kind === "error") throw new RpcFailure(error.code, error.text);
      const result = await perform();
      if (take("lost", method, userId) !== undefined) drop();
      return result;
    },
  };
}
