import type { Command } from "commander";
import { SANDBOX_ACCOUNT_ID } from "#src/modules/accounts/model.ts";
import { type Message, SendMessage } from "#src/modules/messages/model.ts";
import type { Services } from "#src/services.ts";
import { checkFlags, wholeNumber } from "./check-flags.ts";
import { createCommand, ExitError, type JsonFlag, jsonOption, printResult, type Terminal } from "./command.ts";
import { environmentOptions, findEnvironment, type Place, type PlaceFlags } from "./find-environment.ts";
import { dataOptions, withData } from "./open-data.ts";
import type { SettingFlags } from "./settings-options.ts";
import { renderFields } from "./table.ts";

type Flags = SettingFlags &
  JsonFlag &
  PlaceFlags & { to?: string; text?: string; account?: string; scheduleAt?: string; expiresAt?: string; silent?: true; wait?: string };

const LOOK_EVERY_MS = 100;
const finished: ReadonlySet<string> = new Set(["sent", "delivered", "read", "failed", "canceled"]);

export function sendCommand(terminal: Terminal): Command {
  const texts = {
    summary: "Queue a message. A running serve sends it; without one it waits for the next.",
    examples: [
      'send --test --to @sarah_miller --text "Hey {first_name}, your invite is ready"',
      "send --to @sarah_miller --text Hello --account 10000 --wait 30",
    ],
  };
  const command = createCommand(terminal, "send", texts)
    .requiredOption("--to <recipient>", "@username, or a numeric chat id")
    .requiredOption("--text <text>", "the text; {first_name} and {first_name|there} are filled in when it is sent")
    .option("--account <id>", "the account to send from; default: the sandbox, or the only one that there is")
    .option("--schedule-at <time>", "not before this time, such as 2030-01-01T09:00:00Z")
    .option("--expires-at <time>", "not after this time")
    .option("--silent", "arrives without a sound")
    .option("--wait <seconds>", "wait until it is sent or has failed, at most so long; a failure is exit code 1");
  for (const option of [...environmentOptions(), jsonOption(), ...dataOptions()]) command.addOption(option);
  return command.action((flags: Flags) =>
    withData(terminal, flags, async ({ db, services }) => {
      const place = await findEnvironment(services, flags);
      const { to, text, scheduleAt: schedule_at, expiresAt: expires_at, silent } = flags;
      const account_id = wholeNumber("--account", flags.account) ?? (await onlyAccount(services, place));
      const ask = checkFlags(SendMessage, { account_id, to, text, schedule_at, expires_at, silent });
      const seconds = wholeNumber("--wait", flags.wait);
      const sender = { env_id: place.env_id, key_id: "command", account_ids: null };
      const { sent } = await db.write((tx) => services.messages.send(tx, sender, ask));
      if (seconds === undefined)
        printResult(terminal, flags, sent, () => renderFields({ id: sent.id, status: sent.status, eta: sent.eta }));
      else report(terminal, flags, await waitFor(services, place.env_id, sent.id, seconds * 1000));
    }),
  );
}

async function onlyAccount({ accounts }: Services, { env_id, mode, environment }: Place): Promise<number> {
  if (mode === "test") return SANDBOX_ACCOUNT_ID;
  const { items } = await accounts.list(env_id, { limit: 2 });
  const [only] = items;
  if (only !== undefined && items.length === 1) return only.id;
  if (only === undefined)
    throw new ExitError(`${environment} has no account yet: connect a bot with POST /v1/accounts, or send with --test`);
  throw new ExitError("there are several accounts: add --account with the id of one", 2);
}

/** @returns the message as it is when it is finished, or when the time is over */
async function waitFor({ messages }: Services, env_id: number, id: string, waitMs: number): Promise<Message> {
  const end = performance.now() + waitMs;
  for (;;) {
    const message = await messages.get(env_id, id);
    if (finished.has(message.status) || performance.now() >= end) return message;
    await Bun.sleep(LOOK_EVERY_MS);
  }
}

function report(terminal: Terminal, flags: Flags, message: Message): void {
  const { id, status, eta, text, error } = message;
  printResult(terminal, flags, message, () => renderFields({ id, status, text, ...(eta === null ? {} : { eta }) }));
  if (error !== null) throw new ExitError(`failed: ${error.code}: ${error.message}`);
  if (!finished.has(status)) throw new ExitError("not sent yet: is posthouse serve running?");
}
