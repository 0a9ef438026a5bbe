import { type Command, Option } from "commander";
import { createHttpSender } from "#plugins/outbound-http/sender.ts";
import { localUrl } from "#src/config.ts";
import { systemClock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import type { Me } from "#src/modules/keys/model.ts";
import { checkUrl } from "#src/modules/webhooks/address.ts";
import { type Addressee, tryDelivery } from "#src/modules/webhooks/attempt.ts";
import { checkSignature, defaultSignature } from "#src/modules/webhooks/headers.ts";
import { checkSecret, makeSecret } from "#src/modules/webhooks/new-secret.ts";
import type { HttpSender } from "#src/modules/webhooks/sender.ts";
import type { SignatureForm } from "#src/modules/webhooks/signing.ts";
import { createCommand, ExitError, type Terminal } from "./command.ts";
import { followEvents, type StreamedEvent } from "./event-stream.ts";
import { createServerApi, type ServerApi } from "./server-api.ts";
import { loadSettings, settingOptions, type SettingFlags } from "./settings-options.ts";

interface Flags extends SettingFlags {
  forward: string;
  url?: string;
  key?: string;
  events?: string;
  after?: string;
  secret?: string;
  signatureHeader: string;
  signatureFormat: SignatureForm["format"];
}

const formats = ["sha256=hex", "hex"] as const;

export function listenCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Forward the events of a test environment to an address on this machine, as webhooks.",
    details:
      "For building a receiver where no webhook could reach it. Takes the events of a running server from its live stream, posts each\n" +
      "as a webhook is posted, signed, and prints what was answered, until it is interrupted. What the receiver refuses is printed and\n" +
      "not sent again. When the server is away it waits for it, and misses nothing.",
    examples: [
      "listen --forward http://localhost:3000/hook",
      "listen --forward http://localhost:3000/hook --events message.received,contact.*",
      "listen --forward http://localhost:3000/hook --url https://post.example.com --secret whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
    ],
  };
  const command = createCommand(terminal, "listen", texts)
    .requiredOption("--forward <url>", "the receiver's address")
    .option("--url <url>", "the server (POSTHOUSE_URL; default: the one that listens on HOST and PORT)")
    .option("--key <key>", "a key of a test environment (POSTHOUSE_KEY)")
    .option("--events <names>", "only these, separated by commas; all of a kind as message.*")
    .option("--after <id>", "begin after this event; default: with what happens from now on")
    .option("--secret <secret>", "what to sign with; default: one that is made, and printed")
    .option("--signature-header <name>", "the header with the signature of the body", defaultSignature.header)
    .addOption(new Option("--signature-format <format>", "how it is written").choices(formats).default(defaultSignature.format));
  for (const option of settingOptions("host", "port", "tlsCertFile", "tlsKeyFile")) command.addOption(option);
  return command.action(async (flags: Flags) => {
    const addressee = readAddressee(flags);
    const api = createServerApi(serverOf(terminal, flags), keyOf(terminal, flags));
    using interruption = untilInterrupted();
    const { signal } = interruption;
    const me = await askWho(api, signal);
    if (me === null) return;
    greet(terminal, flags, me, addressee);
    const sender = createHttpSender({ clock: systemClock, allowPrivate: true });
    try {
      for await (const event of followEvents(api, readAsk(flags), { signal, ...telling(terminal, api.url) }))
        await forward(terminal, sender, addressee, event, signal);
    } finally {
      await sender.close();
    }
  });
}

/** @throws ExitError with code 2 */
function readAddressee({ forward, secret = makeSecret(), signatureHeader: header, signatureFormat: format }: Flags): Addressee {
  check("--forward", () => checkUrl(forward));
  check("--secret", () => checkSecret(secret));
  check("--signature-header", () => checkSignature({ header, format }));
  return { url: forward, headers: [], signature: { header, format }, secrets: [{ number: 1, text: secret, expires_at: null }] };
}

/** @throws ExitError with code 2 */
function serverOf(terminal: Terminal, flags: Flags): string {
  const given = flags.url ?? (terminal.env["POSTHOUSE_URL"] || undefined);
  if (given === undefined) {
    const { host, port, tls } = loadSettings(terminal, flags);
    return localUrl(host, port, tls !== null);
  }
  check("--url", () => checkUrl(given));
  return given.replace(/\/+$/, "");
}

/** The key itself gets into no error. @throws ExitError with code 2 */
function keyOf(terminal: Terminal, flags: Flags): string {
  const key = flags.key ?? terminal.env["POSTHOUSE_KEY"] ?? "";
  if (/^[!-~]+$/.test(key)) return key;
  if (key !== "") throw new ExitError("error: --key: this is no key: it has a character that none has", 2);
  throw new ExitError(
    "error: there is no key: set POSTHOUSE_KEY, or give --key. Make one with: posthouse keys create --name listen --scopes read:messages,read:contacts --test",
    2,
  );
}

function check(flag: string, look: () => void): void {
  try {
    look();
  } catch (error) {
    throw error instanceof AppError ? new ExitError(`error: ${flag}: ${error.message}`, 2) : error;
  }
}

const readAsk = ({ events, after }: Flags) => ({
  ...(events === undefined ? {} : { type: events }),
  ...(after === undefined ? {} : { after }),
});

/** Whose key it is; null when it was interrupted meanwhile. @throws ExitError when it is not one of a test environment */
async function askWho(api: ServerApi, signal: AbortSignal): Promise<Me | null> {
  try {
    const me = await api.read<Me>("/v1/me", signal);
    if (me.mode === "test") return me;
    if (me.mode === "live")
      throw new ExitError(
        "error: this is a live key, and what real people do and write stays out of terminals and half-built receivers: listen takes a key of a test environment. Make one with: posthouse keys create --name listen --scopes read:messages,read:contacts --test",
        2,
      );
    throw new ExitError(`${api.url} is not the address of a Posthouse`);
  } catch (error) {
    if (signal.aborted) return null;
    if (error instanceof ExitError) throw error;
    throw new ExitError(`${api.url} can't be asked: ${(error as Error).message}. Is posthouse serve running there?`);
  }
}

function greet(terminal: Terminal, flags: Flags, { environment, workspace }: Me, { url, secrets }: Addressee): void {
  terminal.out(`Forwarding what happens in ${environment} (${workspace.name}) to ${url}\n`);
  if (flags.secret !== undefined) return;
  terminal.out(`Signed with this secret, made for this run: give it to the receiver. --secret keeps one.\n\n  ${secrets[0]!.text}\n\n`);
}

function telling(terminal: Terminal, url: string) {
  return {
    onOpen: (again: boolean) => terminal.err(again ? `${url} is there again: it goes on\n` : `listening to ${url}\n`),
    onBroken: (why: string, ms: number) => terminal.err(`${url}: ${why}; trying again in ${(ms / 1000).toFixed(1)} s\n`),
  };
}

/** Posts an event, and prints the line that tells of it. */
async function forward(
  terminal: Terminal,
  sender: HttpSender,
  addressee: Addressee,
  { id, body }: StreamedEvent,
  signal: AbortSignal,
): Promise<void> {
  const { created_at, event, subject } = JSON.parse(body) as { created_at: string; event: string; subject: string };
  const { last } = await tryDelivery({ sender, clock: systemClock }, addressee, { event_id: id, body }, null, signal);
  if (signal.aborted && last.stage !== null) return;
  const answered = last.status === null || last.stage !== null ? `failed (${last.stage}: ${last.error})` : String(last.status);
  terminal.out(`${[created_at, event.padEnd(21), subject, answered, `${last.duration_ms} ms`].join("  ")}\n`);
}

/** Its signal comes with SIGINT and SIGTERM; the second time they end the program. */
function untilInterrupted() {
  const aborter = new AbortController();
  const onSignal = () => aborter.abort();
  process.once("SIGINT", onSignal).once("SIGTERM", onSignal);
  return { signal: aborter.signal, [Symbol.dispose]: () => void process.off("SIGINT", onSignal).off("SIGTERM", onSignal) };
}
