import { contextOf, principalOf } from "#src/core/request.ts";
import type { UnitOfWork, UnitOfWorkAsking, WriteContext, WriteOptions } from "#src/core/write.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { Answer } from "#src/core/write.ts";
import type { Principal } from "#src/core/principal.ts";

interface Ask {
  principal: Principal;
  operation: string;
  key: string | null;
  payload: unknown;
  options: WriteOptions;
}

interface Written {
  status: number;
  body: string;
  headers: Record<string, string>;
  replayed: boolean;
}

/** What this door needs of the module that keeps the answers. */
export interface Idempotency {
  run(ask: Ask, work: (tx: Tx) => Maybe<Answer>): Promise<Written>;
  runAsking<Found>(ask: Ask, question: () => Promise<Found>, work: (tx: Tx, found: Found) => Maybe<Answer>): Promise<Written>;
}

/** What every write begins with: it has the time of its environment as it is on disk. */
export type Heed = (tx: Tx, principal: Principal, operation: string) => Maybe<void>;

/** From an HTTP request to one transaction and back. */
export function createUnitOfWork(idempotency: Idempotency, heed: Heed): { write: UnitOfWork; writeAsking: UnitOfWorkAsking } {
  function begin<T>(tx: Tx, { principal, operation }: Ask, work: () => Maybe<T>): Maybe<T> {
    const heeded = heed(tx, principal, operation);
    return heeded instanceof Promise ? heeded.then(work) : work();
  }

  return {
    async write(context, work, options = {}) {
      const principal = principalOf(context.request);
      const ask = toAsk(context, principal, options);
      return answer(context, await idempotency.run(ask, (tx) => begin(tx, ask, () => work(tx, principal))));
    },
    async writeAsking(context, ask, work, options = {}) {
      const principal = principalOf(context.request);
      const asked = toAsk(context, principal, options);
      const written = await idempotency.runAsking(
        asked,
        () => ask(principal),
        (tx, found) => begin(tx, asked, () => work(tx, principal, found)),
      );
      return answer(context, written);
    },
  };
}

function toAsk({ request, body }: WriteContext, principal: Principal, options: WriteOptions): Ask {
  const key = request.headers.get("idempotency-key");
  const operation = contextOf(request).operation ?? "";
  return { principal, operation, key, payload: key === null ? null : [pathOf(request.url), body ?? null], options };
}

/** The id in the path is part of what was asked. */
function pathOf(url: string): string {
  const start = url.indexOf("/", url.indexOf("://") + 3);
  const end = url.indexOf("?", start);
  return (end === -1 ? url.slice(start) : url.slice(start, end)).replace(/\/$/, "");
}

function answer({ request, set }: WriteContext, { status, body, headers, replayed }: Written): string {
  set.status = status;
  if (body !== "") set.headers["content-type"] = "application/json;charset=utf-8";
  for (const name in headers) set.headers[name.toLowerCase()] = headers[name]!;
  if (replayed) {
    set.headers["idempotency-replayed"] = "true";
    contextOf(request).replayed = true;
  }
  return body;
}
