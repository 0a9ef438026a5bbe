import { join } from "node:path";
import type { Account } from "#src/modules/accounts/model.ts";
import type { Caller } from "#test/support/client.ts";
import { type RemoteDataCenter, spawnDataCenter } from "#test/support/data-center/remote.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { connect, eventually, makeLiveKey } from "./api.ts";
import { type Env, type Posthouse, startPosthouse } from "./posthouse.ts";

export const ANN = "+4915100000001";

type Person = Awaited<ReturnType<RemoteDataCenter["addUser"]>>;

/** A serve with a live key, and a data centre with the account's owner and somebody to write to. */
export interface LiveUser extends AsyncDisposable {
  dc: RemoteDataCenter;
  ann: Person;
  bob: Person;
  folder: string;
  env: Env;
  caller: Caller;
  posthouse: Posthouse;
  /** The account, which waits for its login. */
  account: number;
  /** Logs it in by code, and with the password where it has one. */
  login(password?: string): Promise<Account>;
  read(): Promise<Account>;
  /** Starts it again on the same data, once it has ended. */
  restart(): Promise<Posthouse>;
}

export async function startLiveUser({ password }: { password?: string } = {}): Promise<LiveUser> {
  await using stack = new AsyncDisposableStack();
  const dc = await spawnDataCenter({ dcIds: [2, 4] });
  stack.defer(() => dc.stop());
  const folder = stack.use(tempFolder()).path;
  const env = {
    TELEGRAM_API_ID: "12345",
    TELEGRAM_API_HASH: "0123456789abcdef0123456789abcdef",
    TELEGRAM_DC_FILE: await dc.dcFile(join(folder, "dc.json")),
  };
  const ann = await dc.addUser({ firstName: "Ann", phone: ANN, username: "ann_owner", ...(password === undefined ? {} : { password }) });
  const bob = await dc.addUser({ firstName: "Bob", phone: "+4915100000002", username: "bob_other" });
  let posthouse = stack.use(await startPosthouse({ folder, env }));
  const key = await makeLiveKey(posthouse, env);
  let caller = (await connect(posthouse)).as(key);
  const made = await caller.post<Account>("/v1/accounts", { kind: "telegram_user", phone: ANN });
  const path = `/v1/accounts/${made.body.id}`;
  const kept = stack.move();
  return {
    ...{ dc, ann, bob, folder, env, account: made.body.id },
    get caller() {
      return caller;
    },
    get posthouse() {
      return posthouse;
    },
    async login(given) {
      await caller.post(`${path}/login/code`);
      const { body } = await caller.post<Account>(`${path}/login/confirm`, { code: await dc.codeFor(ANN) });
      if (given === undefined) return body;
      return (await caller.post<Account>(`${path}/login/password`, { password: given })).body;
    },
    read: async () => (await caller.get<Account>(path)).body,
    async restart() {
      posthouse = kept.use(await startPosthouse({ folder, env }));
      caller = (await connect(posthouse)).as(key);
      return posthouse;
    },
    [Symbol.asyncDispose]: () => kept.disposeAsync(),
  };
}

/** Makes a person at the data centre, and an account of theirs that is logged in by code and sends without caps. @returns its id */
export async function connectUser(caller: Caller, dc: RemoteDataCenter, firstName: string, phone: string): Promise<number> {
  await dc.addUser({ firstName, phone });
  const { body } = await caller.post<Account>("/v1/accounts", { kind: "telegram_user", phone });
  const path = `/v1/accounts/${body.id}`;
  await caller.post(`${path}/login/code`);
  await caller.post(`${path}/login/confirm`, { code: await dc.codeFor(phone) });
  await caller.patch(path, { gap_seconds: [0, 0], daily_cap: null, new_peer_daily_cap: null });
  return body.id;
}

/** Waits until it has caught up: what is told before its first state mtcute passes over. */
export const listening = ({ dc }: LiveUser, times = 1) => dc.waitForCalls("updates.getDifference", times);

/** @returns the account once it satisfies */
export const accountWhen = (live: LiveUser, satisfies: (account: Account) => boolean) =>
  eventually("the account does not become what is awaited", live.read, satisfies);
