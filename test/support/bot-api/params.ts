import { badRequest } from "./failure.ts";

/** The parameters of a call, whichever of the four ways brought them: https://core.telegram.org/bots/api#making-requests */
export interface Params {
  text(name: string): string | undefined;
  integer(name: string): number | undefined;
  flag(name: string): boolean;
  object(name: string): Record<string, unknown> | undefined;
  list(name: string): unknown[] | undefined;
  /** A part of a multipart body that is a file. */
  file(name: string): File | undefined;
}

/** @throws BotApiFailure 400 when the body is not what its type says */
export async function readParams(request: Request): Promise<Params> {
  const values: Record<string, unknown> = Object.fromEntries(new URL(request.url).searchParams);
  if (request.method === "POST") Object.assign(values, await readBody(request));
  return accessParams(values);
}

async function readBody(request: Request): Promise<Record<string, unknown>> {
  const type = request.headers.get("content-type") ?? "";
  // The note on this method warns of hostile clients; an emulator for tests has none.
  // oxlint-disable-next-line typescript/no-deprecated
  if (type.startsWith("multipart/form-data")) return Object.fromEntries(await request.formData());
  const text = await request.text();
  if (type.startsWith("application/x-www-form-urlencoded")) return Object.fromEntries(new URLSearchParams(text));
  return text === "" || !type.startsWith("application/json") ? {} : asObject(parse(text));
}

/** Reads parameters by their types; an object within a parameter is read in the same way. */
export function accessParams(values: Record<string, unknown>): Params {
  const text = (name: string) => {
    const value = values[name];
    return typeof value === "string" || typeof value === "number" ? String(value) : undefined;
  };
  return {
    text,
    integer(name) {
      const value = text(name);
      if (value === undefined) return undefined;
      if (!/^-?\d+$/.test(value)) throw badRequest(`invalid ${name} specified`);
      return Number(value);
    },
    flag: (name) => ["true", "1"].includes(String(values[name]).toLowerCase()),
    object(name) {
      const value = values[name];
      if (value === undefined) return undefined;
      return asObject(typeof value === "string" ? parse(value) : value);
    },
    list(name) {
      const value = values[name];
      const list = typeof value === "string" ? parse(value) : value;
      return Array.isArray(list) ? list : undefined;
    },
    file(name) {
      const value = values[name];
      return value instanceof File ? value : undefined;
    },
  };
}

function parse(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw badRequest("can't parse JSON object");
  }
}

function asObject(value: unknown): Record<string, unknown> {
  if (typeof value !== "object" || value === null || Array.isArray(value)) throw badRequest("object expected");
  return value as Record<string, unknown>;
}
