import { readdirSync } from "node:fs";
import type { File } from "#src/modules/files/model.ts";
import type { TestApp } from "./app.ts";
import type { Answer, Caller } from "./client.ts";

/** The beginning of a PNG: enough to tell what it is. */
export const png = bytesOf("89504e470d0a1a0a0000000d4948445200000001000000010806000000");
export const jpeg = bytesOf("ffd8ffe000104a46494600010100000100010000ffd9");
export const gif = bytesOf("4749463839610100010000000000");
export const mp4 = bytesOf("00000018667479706d703432000000006d70343269736f6d");
export const mp3 = bytesOf("fffb9064000000000000000000000000");
export const pdf = new TextEncoder().encode("%PDF-1.4\n%%EOF\n");

function bytesOf(hex: string): Uint8Array<ArrayBuffer> {
  return new Uint8Array(Buffer.from(hex, "hex"));
}

type Body = Uint8Array<ArrayBuffer> | ReadableStream<Uint8Array> | FormData | string;

/** Uploads a file. @param query such as `name=a.png` */
export function sendFile(
  { client }: Pick<TestApp, "client">,
  { key }: Pick<Caller, "key">,
  body: Body,
  query = "",
  headers: Record<string, string> = {},
): Promise<Answer<File>> {
  const type = body instanceof FormData ? {} : { "content-type": "application/octet-stream" };
  const all = { authorization: `Bearer ${key}`, ...type, ...headers };
  return client.send<File>(
    new Request(`http://localhost/v1/files${query === "" ? "" : `?${query}`}`, { method: "POST", headers: all, body }),
  );
}

/** Uploads, and gives the id. @throws Error when it is refused */
export async function upload(app: Pick<TestApp, "client">, caller: Pick<Caller, "key">, body: Body, query = ""): Promise<string> {
  const { status, body: file, text } = await sendFile(app, caller, body, query);
  if (status !== 201) throw new Error(`the file was refused: ${text}`);
  return file.id;
}

/** The files in a folder and those in it. */
export function namesIn(folder: string): string[] {
  const entries = readdirSync(folder, { recursive: true, withFileTypes: true });
  return entries.filter((entry) => entry.isFile()).map(({ name }) => name);
}
