import type { tl } from "@mtcute/core";
import type { ClientSession, Key, User } from "#test/support/data-center/cloud/model.ts";

/** Who calls, and over what. */
export interface Call {
  /** The permanent key. */
  key: Key;
  session: ClientSession;
  dcId: number;
  /** Who is logged in. @throws RpcFailure if nobody is */
  me: User;
}

type Method = keyof tl.RpcCallReturn & tl.RpcMethod["_"];
type Request<M extends Method> = tl.FindByName<tl.RpcMethod, M>;
type Answer<M extends Method> = tl.RpcCallReturn[M];

/** What the data centre can do, by the names of Telegram's methods. */
export type Methods = { [M in Method]?: (request: Request<M>, call: Call) => Answer<M> | Promise<Answer<M>> };
