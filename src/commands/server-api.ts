import { get as getHttp } from "node:http";
import { get as getHttps } from "node:https";
import { ExitError } from "./command.ts";

const ANSWER_MS_MAX = 10_000;

/** What a server answers; its body is read by whoever asked. */
export interface ServerAnswer {
  status: number;
  header(name: string): string | undefined;
  body: AsyncIterable<Uint8Array>;
}

/** The API of a running server, asked with a key. */
export interface ServerApi {
  readonly url: string;
  /**
   * A GET whose body is not read yet. Breaks off when the signal does.
   * @param path with its query
   * @throws Error when nothing answers within 10 s
   */
  open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<ServerAnswer>;
  /**
   * The document that a GET is answered with.
   * @throws Error when nothing answers, or no document of ours @throws ExitError for what asking again does not mend
   */
  read<T>(path: string, signal: AbortSignal): Promise<T>;
}

/** A refusal which may be none a moment later. */
export class Busy extends Error {
  constructor(
    { status }: ServerAnswer,
    /** What it asked to wait (ms). */
    readonly waitMs: number,
  ) {
    super(`it answers ${status}`);
    this.name = "Busy";
  }
}

/** @param url without a slash at its end */
export function createServerApi(url: string, key: string): ServerApi {
  const isNear = ["127.0.0.1", "[::1]", "localhost"].includes(new URL(url).hostname);
  const ask = isNear ? askNear : askFar;

  async function open(path: string, headers: Record<string, string>, signal: AbortSignal): Promise<ServerAnswer> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`no answer within ${ANSWER_MS_MAX / 1000} s`)), ANSWER_MS_MAX);
    try {
      return await ask(url + path, { authorization: `Bearer ${key}`, ...headers }, AbortSignal.any([signal, late.signal]));
    } catch (error) {
      throw late.signal.aborted ? late.signal.reason : error;
    } finally {
      clearTimeout(timer);
    }
  }

  return {
    url,
    open,
    async read<T>(path: string, signal: AbortSignal) {
      const answer = await open(path, {}, signal);
      if (answer.status !== 200) throw await refusalOf(url, answer);
      const text = await textOf(answer);
      try {
        return JSON.parse(text) as T;
      } catch {
        throw new ExitError(`${url} is not the address of a Posthouse: ${path} is no JSON there`);
      }
    },
  };
}

/** Never through a proxy of the environment; and a certificate, which may be for a public name, proves nothing within the machine. */
function askNear(address: string, headers: Record<string, string>, signal: AbortSignal): Promise<ServerAnswer> {
  const get = address.startsWith("https:") ? getHttps : getHttp;
  return new Promise((resolve, reject) => {
    const request = get(address, { headers, signal, rejectUnauthorized: false }, (answer) =>
      resolve({ status: answer.statusCode ?? 0, header: (name) => answer.headers[name]?.toString(), body: answer }),
    );
    request.on("error", reject);
  });
}

/** No redirect is followed: the key is for one server. */
async function askFar(address: string, headers: Record<string, string>, signal: AbortSignal): Promise<ServerAnswer> {
  const answer = await fetch(address, { headers, signal, redirect: "manual" });
  return { status: answer.status, header: (name) => answer.headers.get(name) ?? undefined, body: answer.body ?? nothing() };
}

async function* nothing(): AsyncGenerator<Uint8Array> {}

/** @throws Error when it takes more than 10 s */
async function textOf({ body }: ServerAnswer): Promise<string> {
  const late = Promise.withResolvers<never>();
  const timer = setTimeout(() => late.reject(new Error(`no whole answer within ${ANSWER_MS_MAX / 1000} s`)), ANSWER_MS_MAX);
  try {
    return Buffer.concat(await Promise.race([Array.fromAsync(body), late.promise])).toString();
  } finally {
    clearTimeout(timer);
  }
}

interface Problem {
  detail?: string;
  details?: { field?: string }[];
}

/** What an answer without success means: `Busy`, or an ExitError with what to do. */
export async function refusalOf(url: string, answer: ServerAnswer): Promise<Error> {
  const { status } = answer;
  const text = await textOf(answer);
  if (status === 429 || status >= 500) return new Busy(answer, 1000 * Number(answer.header("retry-after") ?? 0) || 0);
  const { detail = `it answers ${status}`, details } = readProblem(text);
  if (status === 401)
    return new ExitError(
      `${url} does not take the key: it is mistyped, revoked or expired, or of another server. Make one with: posthouse keys create --name listen --scopes read:messages,read:contacts --test`,
    );
  if (status === 403) return new ExitError(`${detail} Make a key that has it with: posthouse keys create --test`);
  if (status === 422) return details?.[0]?.field === "type" ? new ExitError(`error: --events: ${detail}`, 2) : new ExitError(detail);
  return new ExitError(`${url} is not the address of a Posthouse: ${detail}`);
}

function readProblem(text: string): Problem {
  try {
    return (JSON.parse(text) as Problem | null) ?? {};
  } catch {
    return {};
  }
}
