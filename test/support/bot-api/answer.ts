import type { Emulation } from "./emulation.ts";
import { BotApiFailure, notFound, unauthorized } from "./failure.ts";
import { playFault } from "./faults.ts";
import type { Connection } from "./front.ts";
import type { CallMatch } from "./model.ts";
import { download } from "./methods/get-file.ts";
import { methodTable } from "./methods/table.ts";
import { accessParams, readParams, type Params } from "./params.ts";

const FILE_ADDRESS = /^\/file\/bot([^/]+)\/(.+)$/;
const ADDRESS = /^\/bot([^/]+)\/([^/]+)$/;

/** Answers one request under `/bot<token>/<method>` or `/file/bot<token>/<path>`, with whatever was scripted to go wrong. */
export async function answer(request: Request, connection: Connection, emulation: Emulation): Promise<Response> {
  const address = decodeURIComponent(new URL(request.url).pathname);
  const [, fileToken, path] = FILE_ADDRESS.exec(address) ?? [];
  if (fileToken !== undefined && path !== undefined) return answerFile(fileToken, path, { request, connection, emulation });
  const [, token, method] = ADDRESS.exec(address) ?? [];
  if (token === undefined || method === undefined) return notFound().toResponse();
  try {
    const params = await readParams(request);
    const call = { token, method: method.toLowerCase(), chat_id: chatIdOf(params, emulation) };
    count(call.method, emulation);
    const perform = () => answerCall(call, params, request.signal, emulation);
    const fault = emulation.faults.take(call);
    return await (fault === undefined ? perform() : playFault(fault, connection, request.signal, perform));
  } catch (error) {
    return explain(error);
  }
}

interface Asked {
  request: Request;
  connection: Connection;
  emulation: Emulation;
}

/** Faults find a download by the method `file`. */
async function answerFile(token: string, path: string, { request, connection, emulation }: Asked): Promise<Response> {
  const call = { token, method: "file", chat_id: 0 };
  count(call.method, emulation);
  const perform = async () => download(token, path, emulation);
  const fault = emulation.faults.take(call);
  return fault === undefined ? perform() : playFault(fault, connection, request.signal, perform);
}

async function answerCall(call: Required<CallMatch>, params: Params, signal: AbortSignal, emulation: Emulation): Promise<Response> {
  try {
    if (!/^\d+:/.test(call.token)) throw notFound();
    const bot = emulation.world.botOf(call.token);
    if (bot === undefined) throw unauthorized();
    const method = methodTable.get(call.method);
    if (method === undefined) throw new BotApiFailure(404, "Not Found: method not found");
    emulation.pacing.check(call);
    return Response.json({ ok: true, result: await method({ bot, params, emulation, signal }) });
  } catch (error) {
    return explain(error);
  }
}

/** Makes the call that a bot has put into its answer to a webhook; what comes of it nobody is told. */
export async function answerWithin(token: string, values: Record<string, unknown>, emulation: Emulation): Promise<void> {
  if (typeof values.method !== "string") return;
  const method = values.method.toLowerCase();
  count(method, emulation);
  const call = { token, method, chat_id: 0 };
  await answerCall(call, accessParams(values), new AbortController().signal, emulation);
}

function explain(error: unknown): Response {
  if (error instanceof BotApiFailure) return error.toResponse();
  throw error;
}

/** 0 where the call is about no chat, or about none that exists. */
function chatIdOf(params: Params, { world }: Emulation): number {
  const id = params.text("chat_id");
  if (id === undefined) return 0;
  return world.chatOf(id)?.id ?? (Number(id) || 0);
}

function count(method: string, { requests, changes }: Emulation): void {
  requests.total++;
  requests.by_method[method] = (requests.by_method[method] ?? 0) + 1;
  changes.notify();
}
