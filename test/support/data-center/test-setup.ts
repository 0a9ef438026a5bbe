import { createTestClient, type TestClient, type TestClientOptions } from "./test-client.ts";
import { startDataCenter, type DataCenter, type DataCenterOptions } from "./start.ts";

let phones = 15550001000;

/** A data centre for the tests of one file, whose users all have a number and a username. */
export async function startTestDataCenter(options: DataCenterOptions = {}) {
  const dc = await startDataCenter(options);
  const addUser = (options: Partial<Parameters<DataCenter["addUser"]>[0]> = {}) => {
    const phone = String(++phones);
    const username = `user_${phone}`;
    return { ...dc.addUser({ firstName: "Sarah", username, phone, ...options }), phone, username };
  };
  /** Logs in, and waits until the client knows from where on it is told of messages. */
  const logIn = async ({ telegram, caughtUp }: TestClient, phone: string) => {
    const sent = await telegram.sendCode({ phone });
    if (!("phoneCodeHash" in sent)) throw new Error("already logged in");
    await telegram.signIn({ phone, phoneCodeHash: sent.phoneCodeHash, phoneCode: dc.codeFor(phone) });
    await caughtUp;
  };
  return {
    dc,
    addUser,
    logIn,
    /** A user with a client that is logged in. */
    async loggedIn(options: TestClientOptions = {}) {
      const user = addUser();
      const client = createTestClient(dc, options);
      await logIn(client, user.phone);
      return { user, client, telegram: client.telegram, [Symbol.asyncDispose]: () => client.close() };
    },
  };
}

export type TestDataCenter = Awaited<ReturnType<typeof startTestDataCenter>>;

export type LoggedIn = Awaited<ReturnType<TestDataCenter["loggedIn"]>>;
type Listened<E> = E extends { add(listener: (event: infer T) => void): void } ? T : never;

/** The next event of this kind. */
export function next<K extends "onNewMessage" | "onEditMessage" | "onDeleteMessage" | "onHistoryRead" | "onUserTyping" | "onRawUpdate">(
  { telegram }: LoggedIn,
  kind: K,
  isMeant: (event: Listened<LoggedIn["telegram"][K]>) => boolean = () => true,
): Promise<Listened<LoggedIn["telegram"][K]>> {
  return new Promise((resolve, reject) => {
    const timer = setTimeout(() => reject(new Error(`no ${kind}`)), 10_000);
    const emitter = telegram[kind] as unknown as { add(listener: (event: Listened<LoggedIn["telegram"][K]>) => void): void };
    emitter.add((event) => {
      if (!isMeant(event)) return;
      clearTimeout(timer);
      resolve(event);
    });
  });
}
