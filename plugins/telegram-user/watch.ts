import type { BaseTelegramClient } from "@mtcute/core/client.js";
import type { Clock } from "#src/core/clock.ts";
import type { Link } from "#src/modules/connections/model.ts";
import type { Live } from "./live.ts";

/** A revoked session tells nothing while nothing is asked of it. */
const PROBE_MS = 120_000;
const PROBE_ANSWER_MS = 30_000;

/** Whether there is a connection right now. */
interface Line {
  isUsable: boolean;
}

interface Needs {
  client: BaseTelegramClient;
  live: Live;
  line: Line;
  link: Pick<Link, "failed">;
  clock: Clock;
  ended: AbortSignal;
  /** What to say when it is lost. */
  lost: string;
  /** The connection stands again. */
  onReturn(): void;
}

/** Watches a connection until it is ended: tells once when it is lost, and asks something now and then while nothing happens. */
export function watch({ client, live, line, link, clock, ended, lost, onReturn }: Needs): void {
  let hasBegun = false;
  let isLossTold = false;
  let cancelProbe: () => void = () => undefined;

  const tell = (reason: string) => {
    if (isLossTold || ended.aborted) return;
    isLossTold = true;
    link.failed(reason);
  };

  async function probe(): Promise<void> {
    cancelProbe();
    try {
      await live.call({ _: "updates.getState" }, ended, { ms: PROBE_ANSWER_MS });
      isLossTold = false;
    } catch {
      tell(line.isUsable ? "Telegram does not answer." : lost);
    }
    if (!ended.aborted) cancelProbe = clock.at(clock.now() + PROBE_MS, () => void probe());
  }

  client.mt.onConnecting.add(() => {
    // The first is that it begins.
    if (hasBegun) tell(lost);
    hasBegun = true;
    line.isUsable = false;
  });
  client.mt.onUsable.add(() => {
    if (ended.aborted || line.isUsable) return;
    line.isUsable = true;
    isLossTold = false;
    onReturn();
    void probe();
  });
  ended.addEventListener("abort", () => {
    line.isUsable = false;
    cancelProbe();
  });
}
