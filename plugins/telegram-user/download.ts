import type { tl } from "@mtcute/core";
import type { FetchResult } from "#src/modules/messages/channel.ts";
import { Unanswered } from "./deadline.ts";
import { faultOf, isSessionEnd } from "./errors.ts";
import type { Live } from "./live.ts";
import { filesOf } from "./media.ts";
import { failed, refusalOf } from "./refusal.ts";
import { readRemote, type Remote } from "./remote.ts";
import { inputOf } from "./resolve.ts";

/** https://core.telegram.org/api/files#downloading-files */
const PART_BYTES = 512 * 1_024;
const PART_MS_MAX = 60_000;
const GONE_WORDS = "Telegram no longer has this file.";
const GONE = failed("message_rejected", GONE_WORDS);

/** Begins to fetch a file that was received: once its first part is here, it is there. */
export async function fetchFile(live: Live, remote: string, signal: AbortSignal): Promise<FetchResult> {
  const met = readRemote(remote);
  if (met === null) return GONE;
  const source = createSource(live, met, signal);
  const first = await source.part(0);
  if (first === null) return GONE;
  return { kind: "file", bytes: streamOf(source, first), size: met.size === 0 ? null : met.size };
}

interface Source {
  part(offset: number): Promise<Uint8Array | null>;
}

function createSource(live: Live, met: Remote, signal: AbortSignal): Source {
  let { dc, location } = met;
  let isRenewed = false;
  return {
    /** @returns null where the file is gone. @throws what Telegram answers */
    async part(offset) {
      for (;;) {
        try {
          const request = { _: "upload.getFile", location, offset, limit: PART_BYTES } as const;
          const answer = await live.call(request, signal, { ms: PART_MS_MAX, dcId: dc, kind: "download" });
          return answer._ === "upload.file" ? answer.bytes : null;
        } catch (error) {
          const fault = faultOf(error);
          if (fault?.name.startsWith("FILE_MIGRATE_") === true && fault.number !== null && fault.number !== dc) dc = fault.number;
          else if (fault?.name.startsWith("FILE_REFERENCE_") === true && !isRenewed) {
            isRenewed = true;
            const renewed = await renew(live, met, signal);
            if (renewed === null) return null;
            location = renewed;
          } else if (fault !== null && isSessionEnd(fault.name)) {
            // Whether the session has really ended is for its home to say.
            throw new Unanswered("The file's data centre doesn't know the account yet.");
          } else throw error;
        }
      }
    },
  };
}

/** A reference lasts some hours: https://core.telegram.org/api/file-references */
async function renew(live: Live, { at, location }: Remote, signal: AbortSignal): Promise<Remote["location"] | null> {
  const id: tl.TypeInputMessage[] = [{ _: "inputMessageID", id: at.message }];
  const chat = at.chat < 0 ? await live.peers.getById(at.chat) : null;
  const input = chat === null ? null : inputOf(chat);
  const answer =
    input?._ === "inputPeerChannel"
      ? await live.call({ _: "channels.getMessages", channel: { ...input, _: "inputChannel" }, id }, signal)
      : await live.call({ _: "messages.getMessages", id }, signal);
  const messages = "messages" in answer ? answer.messages : [];
  const message = messages.find((one) => one._ === "message");
  const file = message === undefined ? undefined : filesOf(message)[0];
  const renewed = file === undefined ? null : readRemote(file.remote);
  return renewed !== null && renewed.location.id.eq(location.id) ? renewed.location : null;
}

function streamOf(source: Source, first: Uint8Array): ReadableStream<Uint8Array> {
  let part: Uint8Array | null = first;
  let offset = 0;
  return new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          part ??= await source.part(offset);
        } catch (error) {
          const refusal = refusalOf(error);
          controller.error(new Error("reason" in refusal ? refusal.reason : "Telegram refuses the rest of the file."));
          return;
        }
        // What is here by then is not the file.
        if (part === null) return controller.error(new Error(GONE_WORDS));
        if (part.length === 0) return controller.close();
        controller.enqueue(part);
        offset += part.length;
        if (part.length < PART_BYTES) controller.close();
        part = null;
      },
    },
    { highWaterMark: 0 },
  );
}
