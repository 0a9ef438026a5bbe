import type { Clock } from "#src/core/clock.ts";
import type { Log } from "#src/core/log.ts";
import type { ConnectedAccount, Connection, Connector, Link } from "#src/modules/connections/model.ts";
import type { TelegramUserOptions } from "./client.ts";
import { connectOnce, type Ending } from "./listening.ts";
import type { Lives } from "./live.ts";

interface Needs {
  telegram: TelegramUserOptions;
  clock: Clock;
  log: Log;
  lives: Lives;
}

/** mtcute itself comes back from a lost connection at once; this is for when a client had to be given up. */
const AGAIN_MS = 5_000;

/** Keeps user accounts connected over MTProto. */
export function createConnector(needs: Needs): Connector & { close(): Promise<void> } {
  const connections = new Set<Connection>();
  return {
    kind: "telegram_user",
    connect(account, link) {
      const listening = listen(needs, account, link);
      const connection: Connection = {
        close() {
          connections.delete(connection);
          return listening.close();
        },
      };
      connections.add(connection);
      return connection;
    },
    async close() {
      await Promise.all([...connections].map((connection) => connection.close()));
    },
  };
}

function listen(needs: Needs, account: ConnectedAccount, link: Link): Connection {
  const { clock, log } = needs;
  const closed = new AbortController();
  const known = { session: account.session, place: account.place };

  const complain = (error: unknown) => log.error("An account's connection has broken", { account_id: account.id, error });

  let endPause: () => void = () => undefined;
  closed.signal.addEventListener("abort", () => endPause());

  async function pause(ms: number): Promise<void> {
    const { promise, resolve } = Promise.withResolvers<void>();
    endPause = resolve;
    if (closed.signal.aborted) resolve();
    const cancel = clock.at(clock.now() + ms, resolve);
    await promise.finally(cancel);
  }

  function settle(ending: Ending): void {
    if (closed.signal.aborted || ending.kind === "closed") return;
    if (ending.kind === "failed") link.failed(ending.reason);
    else {
      // Not awaited: whoever hears of it may close this connection, and wait for that.
      link.refused(ending.reason, ending.final).catch(complain);
    }
  }

  async function run(): Promise<void> {
    while (!closed.signal.aborted) {
      const ending = await connectOnce(needs, account, link, known, closed.signal);
      settle(ending);
      if (ending.kind !== "failed") return;
      await pause(AGAIN_MS);
    }
  }

  const running = run().catch(complain);
  return {
    async close() {
      closed.abort(new Error("The connection was closed."));
      await running;
    },
  };
}
