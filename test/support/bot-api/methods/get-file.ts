import { badRequest, notFound } from "#test/support/bot-api/failure.ts";
import type { Emulation } from "#test/support/bot-api/emulation.ts";
import type { Call } from "./call.ts";

const DOWNLOAD_BYTES_MAX = 20 * 1_048_576;

/** https://core.telegram.org/bots/api#getfile */
export function getFile({ bot, params, emulation }: Call) {
  const file = emulation.files.find(bot, params.text("file_id") ?? "");
  if (file === undefined) throw badRequest("wrong file_id or the file is temporarily unavailable");
  const { file_id, file_unique_id, size: file_size, file_path } = file;
  if (file_size > DOWNLOAD_BYTES_MAX) throw badRequest("file is too big");
  return { file_id, file_unique_id, file_size, file_path };
}

/** The bytes of a file under `/file/bot<token>/<path>`, or of the range that is asked for. */
export function download(token: string, path: string, { files }: Emulation): Response {
  const file = files.at({ token }, path);
  if (file === undefined) return notFound().toResponse();
  return new Response(file.bytes as Uint8Array<ArrayBuffer>, { headers: { "content-type": "application/octet-stream" } });
}
