import { Database as File, type SQLQueryBindings } from "bun:sqlite";
import { newId } from "#src/core/ids.ts";
import { sendingColumns } from "#src/modules/messages/columns.ts";
import { newRow } from "#src/modules/messages/new-row.ts";
import { presentInThread } from "#src/modules/messages/present.ts";
import { SANDBOX_ACCOUNT } from "./sequence-data.ts";

/**
 * The floor under a step that falls due: one loop of prepared statements that writes the same rows in as large transactions into
 * the same tables and indexes. The rows are ready; nothing is looked up, decided or counted.
 */
export interface FloorPlan {
  /** A database with people in a sequence. */
  path: string;
  env_id: number;
  sequence_id: string;
  people: number;
}

export interface FloorResult {
  /** Of writing and committing alone. */
  seconds: number;
}

/** As many as the engine does in one transaction. */
const ROWS = 256;
const THREE_DAYS_MS = 259_200_000;
const eventColumns = ["env_id", "id", "type", "subject", "actor", "data", "created_at"];
const jobColumns = ["env_id", "id", "kind", "lane", "chat", "run_at", "running", "attempts", "payload", "eta", "lease_until"];

type Row = SQLQueryBindings[];

interface Ready {
  message: Row;
  job: Row;
  events: Row[];
  enrollment: Row;
}

function load({ path, env_id, sequence_id, people }: FloorPlan): FloorResult {
  const file = new File(path, { readwrite: true });
  const pragmas = ["journal_mode = WAL", "synchronous = FULL", "cache_size = -16000", "temp_store = MEMORY", "wal_autocheckpoint = 4000"];
  for (const pragma of pragmas) file.run(`PRAGMA ${pragma}`);
  const prepare = (sql: string) => file.prepare<unknown, Row>(sql);
  const insertInto = (table: string, columns: readonly string[]) =>
    prepare(`insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`);
  const [begin, commit] = [prepare("BEGIN IMMEDIATE"), prepare("COMMIT")];
  const addMessage = insertInto("messages", sendingColumns);
  const addJob = insertInto("jobs", jobColumns);
  const addEvent = insertInto("events", eventColumns);
  const moveOn = prepare(
    "update enrollments set version = ?, contact_id = ?, status = ?, step = ?, due_at = ?, why = ?, waits_for = ?, state = ?, reason = ?, ended_at = ?, updated_at = ? where env_id = ? and id = ?",
  );

  function readyOf(n: number): Ready {
    const now = Date.now();
    const number = String(n).padStart(16, "0");
    const [enrollment_id, contact_id, recipient] = [`enr_01HKQ9R2X3${number}`, `ct_01HKQ9R2X3${number}`, String(1_000_000 + n)];
    const row = newRow(
      { env_id, key_id: "bench", account_ids: null },
      { account_id: SANDBOX_ACCOUNT, to: contact_id },
      {
        ...{ text: "Hey {first_name|there}, your invite is ready", content: null, channel: { name: "sandbox" } as never },
        ...{ to: { recipient, contact_id }, timing: { run_at: now, schedule_at: null, expires_at: null }, eta: now, cap_day: null },
        ...{ thread_id: null, origin: { type: "sequence", id: sequence_id, step: "step_1", enrollment_id }, now },
      },
    );
    const eventOf = (type: string, subject: string, actor: string, data: object): Row => [
      ...[env_id, newId("evt", now, env_id), type, subject, actor],
      ...[JSON.stringify(data), now],
    ];
    const stepped = (step: string, type: string, message_id: string | null) =>
      eventOf("sequence.step", contact_id, sequence_id, { enrollment_id, sequence_id, version: 1, contact_id, step, type, message_id });
    return {
      message: sendingColumns.map((name) => row[name]),
      job: [env_id, row.id, "messages.send", `account:${SANDBOX_ACCOUNT}`, recipient, now, 0, 0, "sandbox", now, null],
      events: [
        eventOf("message.queued", row.id, "bench", presentInThread(row, null)),
        stepped("step_1", "send", row.id),
        stepped("step_2", "wait", null),
      ],
      enrollment: [
        ...[1, contact_id, "active", "step_2", now + THREE_DAYS_MS, "wait", null],
        ...[JSON.stringify({ account_id: SANDBOX_ACCOUNT, sent_step: "step_1" }), null, null, now, env_id, enrollment_id],
      ],
    };
  }

  let ms = 0;
  for (let first = 0; first < people; first += ROWS) {
    const ready = Array.from({ length: Math.min(ROWS, people - first) }, (_, at) => readyOf(first + at));
    const startedAt = performance.now();
    begin.run();
    for (const { message, job, events, enrollment } of ready) {
      addMessage.run(...message);
      addJob.run(...job);
      for (const event of events) addEvent.run(...event);
      moveOn.run(...enrollment);
    }
    commit.run();
    ms += performance.now() - startedAt;
  }
  file.close();
  return { seconds: ms / 1000 };
}

process.stdout.write(JSON.stringify(load(JSON.parse(process.argv[2]!) as FloorPlan)));
