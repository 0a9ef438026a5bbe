import { gzipSync } from "node:zlib";
import type { Long } from "@mtcute/core";
import type { TlRecord } from "#test/support/data-center/tl/read.ts";
import { serialize, serializeResult, write } from "#test/support/data-center/tl/write.ts";
import { RpcFailure } from "./failure.ts";
import type { Session } from "./session.ts";

const RPC_RESULT = 0xf35c6d01;
const GZIP_PACKED = 0x3072cfa1;
/** Telegram packs bigger answers. */
const UNPACKED_BYTES_MAX = 4096;

/** Does what a call asks for and answers it, with its result or a refusal. */
export async function answerCall(session: Session, id: Long, call: TlRecord, perform: () => unknown): Promise<void> {
  session.send(resultMessage(id, pack(await outcomeOf(call._, perform))), 1);
}

export function refuseCall(session: Session, id: Long, failure: RpcFailure): void {
  session.send(resultMessage(id, errorOf(failure)), 1);
}

async function outcomeOf(method: string, perform: () => unknown): Promise<Uint8Array> {
  try {
    return serializeResult(method, await perform());
  } catch (error) {
    if (error instanceof RpcFailure) return errorOf(error);
    // A mistake of ours, which the test that waits for the answer should see.
    process.stderr.write(`the data centre failed at ${method}: ${error instanceof Error ? error.stack : String(error)}\n`);
    return errorOf(new RpcFailure(500, "INTERNAL"));
  }
}

function errorOf({ code, text }: RpcFailure): Uint8Array {
  return serialize({ _: "mt_rpc_error", errorCode: code, errorMessage: text } as { _: string });
}

function pack(result: Uint8Array): Uint8Array {
  if (result.length <= UNPACKED_BYTES_MAX) return result;
  const packed = new Uint8Array(gzipSync(result));
  return write(packed.length + 12, (writer) => {
    writer.uint(GZIP_PACKED);
    writer.bytes(packed);
  });
}

function resultMessage(id: Long, result: Uint8Array): Uint8Array {
  return write(12 + result.length, (writer) => {
    writer.uint(RPC_RESULT);
    writer.long(id);
    writer.raw(result);
  });
}
