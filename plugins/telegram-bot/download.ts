import type { FetchResult } from "#src/modules/messages/channel.ts";
import type { Bot } from "./chat.ts";
import { asRepeatable, refusalOf } from "./outcome.ts";
import type { Wire, WireOptions } from "./wire.ts";

const nobody = { recipient: "", chat_id: null };
const gone = { kind: "failed", code: "message_rejected", message: "Telegram has this file no more.", link: null } as const;
const away = { kind: "unreached", reason: "The connection to Telegram broke before the file came." } as const;

/**
 * Fetches a file that the bot has received. Nothing that goes wrong is told in words other than ours: the address holds the token.
 * https://core.telegram.org/bots/api#getfile
 */
export async function fetchFile(wire: Wire, options: WireOptions, bot: Bot, file_id: string, signal: AbortSignal): Promise<FetchResult> {
  const answer = await wire(bot.token, signal, async (api) => {
    const { file_path = null, file_size = null } = await api.getFile(file_id);
    return { file_path, file_size };
  });
  if (answer.kind !== "ok") return asRepeatable(refusalOf(answer, bot, nobody));
  const { file_path, file_size: size } = answer.result;
  if (file_path === null) return gone;
  const path = file_path.split("/").map(encodeURIComponent).join("/");
  const root = options.apiRoot.replace(/\/+$/, "");
  const watch = watchOver(options.timeoutMs, signal);
  try {
    const response = await fetch(`${root}/file/bot${bot.token}/${path}`, { redirect: "manual", signal: watch.signal });
    if (response.status === 200 && response.body !== null) return { kind: "file", bytes: pass(response.body, watch), size };
    watch.end();
    await response.body?.cancel();
    if (response.status >= 500 || response.status === 429) return { ...away, reason: `Telegram answered with HTTP ${response.status}.` };
    return gone;
  } catch {
    watch.end();
    return away;
  }
}

/** Breaks a transfer off in which nothing happens for so long. */
function watchOver(timeoutMs: number, signal: AbortSignal) {
  const aborter = new AbortController();
  const stop = () => aborter.abort();
  let timer = setTimeout(stop, timeoutMs);
  signal.addEventListener("abort", stop);
  if (signal.aborted) stop();
  return {
    signal: aborter.signal,
    goesOn() {
      clearTimeout(timer);
      timer = setTimeout(stop, timeoutMs);
    },
    end() {
      clearTimeout(timer);
      signal.removeEventListener("abort", stop);
    },
  };
}

function pass(body: ReadableStream<Uint8Array>, watch: ReturnType<typeof watchOver>): ReadableStream<Uint8Array> {
  const reader = body.getReader();
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const read = await reader.read().catch(() => null);
        watch.goesOn();
        if (read?.done === false) return controller.enqueue(read.value);
        watch.end();
        if (read === null) controller.error(new Error("the file broke off on its way from Telegram"));
        else controller.close();
      },
      async cancel() {
        watch.end();
        await reader.cancel().catch(() => undefined);
      },
    },
    { highWaterMark: 0 },
  );
}
