import { Database } from "bun:sqlite";
import { copyFileSync, existsSync } from "node:fs";
import { join } from "node:path";
import { tempFolder } from "#test/support/temp-folder.ts";
import type { Sent } from "#test/support/bot-api/model.ts";
import type { Send } from "./load.ts";
import { databaseOf } from "./posthouse.ts";

interface Row {
  id: string;
  status: string;
  error_code: string | null;
  text: string;
}

/** What a database holds of the messages that a load sent, held against what Telegram got. */
export interface Reckoning {
  messages: number;
  acknowledged: number;
  /** Still waiting to be sent. */
  queued: number;
  sent: number;
  failed: number;
  /** Those that ended as `outcome_unknown`, and how many of them had arrived. */
  unknown: string[];
  unknownArrived: number;
  /** Not answered and given up by the client, and how many of those were taken all the same. */
  unanswered: number;
  unansweredTaken: number;
  /** Arrived more than once, or taken more than once. */
  doubled: number;
  /** Everything that must not be, in words. */
  faults: string[];
  integrity: string;
}

/** Reads what a server has left. Only when none runs. */
export function reckon(folder: string, sends: readonly Send[], arrived: readonly Sent[]): Reckoning {
  using file = new Database(databaseOf(folder), { readonly: true });
  const rows = file.query("SELECT id, status, error_code, text FROM messages").all() as Row[];
  const events = readEvents(file);
  const byMarker = Map.groupBy(rows, ({ text }) => markerOf(text));
  const arrivals = Map.groupBy(arrived, ({ text }) => markerOf(text));
  const byId = new Map(rows.map((row) => [row.id, row]));
  const unanswered = sends.filter(({ id }) => id === null);
  const unknown = rows.filter(isUnknown);
  const isKept = ({ id, marker }: Send) => id === null || markerOf(byId.get(id)?.text ?? "") === marker;
  const lost = sends.filter((send) => !isKept(send)).map(({ marker }) => `${marker} was acknowledged and is lost`);
  const queued = rows.filter(({ status }) => status === "queued").length;
  const { jobs } = file.query("SELECT count(*) AS jobs FROM jobs WHERE lane IS NOT NULL").get() as { jobs: number };
  const twice = [...byMarker].filter(([, same]) => same.length > 1).map(([marker]) => `${marker} was taken twice`);
  const doubled = [...arrivals].filter(([, same]) => same.length > 1).map(([marker]) => `${marker} arrived twice`);
  return {
    messages: rows.length,
    acknowledged: sends.length - unanswered.length,
    queued,
    sent: rows.filter(({ status }) => status === "sent").length,
    failed: rows.filter((row) => row.status === "failed" && !isUnknown(row)).length,
    unknown: unknown.map(({ id }) => id),
    unknownArrived: unknown.filter(({ text }) => arrivals.has(markerOf(text))).length,
    unanswered: unanswered.length,
    unansweredTaken: unanswered.filter(({ marker }) => byMarker.has(marker)).length,
    doubled: twice.length + doubled.length,
    faults: [
      ...lost,
      ...twice,
      ...doubled,
      ...rows.flatMap((row) => faultsOf(row, arrivals.get(markerOf(row.text))?.length ?? 0, events.get(row.id))),
      ...(jobs === queued ? [] : [`${jobs} jobs for ${queued} queued messages`]),
    ],
    integrity: (file.query("PRAGMA integrity_check").get() as { integrity_check: string }).integrity_check,
  };
}

/** The ids of messages that a killed server had marked as on the wire. Looks at a copy, so that the next start meets what was left. */
export function sendingIn(folder: string): string[] {
  using copy = tempFolder();
  const path = join(copy.path, "posthouse.db");
  for (const part of ["", "-wal"])
    if (existsSync(`${databaseOf(folder)}${part}`)) copyFileSync(`${databaseOf(folder)}${part}`, `${path}${part}`);
  using file = new Database(path);
  const rows = file.query("SELECT id FROM messages WHERE status = 'sending'").all() as { id: string }[];
  return rows.map(({ id }) => id);
}

/** By message, what happened to it, in alphabetical order. */
function readEvents(file: Database): Map<string, string> {
  const rows = file.query("SELECT subject, type FROM events WHERE type LIKE 'message.%'").all() as { subject: string; type: string }[];
  const types = Map.groupBy(rows, ({ subject }) => subject);
  return new Map(
    [...types].map(([subject, events]) => [
      subject,
      events
        .map(({ type }) => type)
        .toSorted()
        .join(" "),
    ]),
  );
}

/** What is told of a message in a state in which it may be left, in alphabetical order. */
const eventsOf: Readonly<Record<string, string>> = {
  queued: "message.queued",
  sent: "message.queued message.sent",
  failed: "message.failed message.queued",
};

/** What is wrong with one message, given how often it arrived and what is told of it. */
function faultsOf(row: Row, arrivals: number, events: string | undefined): string[] {
  const { id, status, error_code } = row;
  const expected = eventsOf[status];
  if (expected === undefined) return [`${id} is ${status}`];
  const faults: string[] = [];
  if (status === "sent" && arrivals === 0) faults.push(`${id} is sent and did not arrive`);
  if (status === "failed" && error_code === null) faults.push(`${id} failed without a code`);
  if (status !== "sent" && !isUnknown(row) && arrivals > 0) faults.push(`${id} is ${status} (${error_code}) and arrived`);
  if (events !== expected) faults.push(`${id} is ${status} and its events are ${events}`);
  return faults;
}

const isUnknown = ({ error_code }: Row) => error_code === "outcome_unknown";
const markerOf = (text: string) => text.split(" ", 1)[0]!;
