import { Database as File, type SQLQueryBindings } from "bun:sqlite";
import { newId } from "#src/core/ids.ts";

/**
 * The floor under a send: a bare server that runs the same statements on the same schema in the same group commit, and
 * does nothing else. It trusts what it is sent: no key, no limits, no schema, no log.
 */
const { path, port, env_id } = JSON.parse(process.argv[2]!) as { path: string; port: number; env_id: number };

const file = new File(path, { readwrite: true });
// As Posthouse sets them; its checkpoints are as far apart, but beside the writer.
const pragmas = ["journal_mode = WAL", "synchronous = FULL", "cache_size = -16000", "temp_store = MEMORY", "wal_autocheckpoint = 4000"];
for (const pragma of pragmas) file.run(`PRAGMA ${pragma}`);

const prepare = (sql: string) => file.prepare<unknown, SQLQueryBindings[]>(sql);
const [begin, commit] = [prepare("BEGIN IMMEDIATE"), prepare("COMMIT")];
const [savepoint, release] = [prepare("SAVEPOINT w"), prepare("RELEASE w")];
const findAnswer = prepare("select * from idempotency where env_id = ? and operation = ? and key = ?");
const findAccount = prepare("select * from accounts where env_id = ? and id = ?");
const findContact = prepare("select id from contacts where env_id = ? and username = ? and deleted_at is null");
const addMessage = insertInto("messages", [
  "env_id",
  "id",
  "channel",
  "account_id",
  "direction",
  "recipient",
  "contact_id",
  "thread_id",
  "text",
  "status",
  "eta",
  "schedule_at",
  "expires_at",
  "silent",
  "reply_to",
  "metadata",
  "error_code",
  "error_message",
  "error_link",
  "last_error",
  "attempts",
  "remote_id",
  "cap_day",
  "created_at",
  "sent_at",
  "delivered_at",
  "read_at",
  "updated_at",
]);
const addJob = insertInto("jobs", [
  "env_id",
  "id",
  "kind",
  "lane",
  "chat",
  "run_at",
  "running",
  "attempts",
  "payload",
  "eta",
  "lease_until",
]);
const addEvent = insertInto("events", ["env_id", "id", "type", "subject", "actor", "data", "created_at"]);
const addAnswer = insertInto("idempotency", [
  "env_id",
  "operation",
  "key",
  "fingerprint",
  "status",
  "body",
  "sealed",
  "created_at",
  "expires_at",
]);

function insertInto(table: string, columns: string[]) {
  return prepare(`insert into ${table} (${columns.join(", ")}) values (${columns.map(() => "?").join(", ")})`);
}

interface Ask {
  account_id: number;
  to: string;
  text: string;
}

interface Waiting {
  ask: Ask;
  key: string;
  answer(body: string): void;
}

const OPERATION = "messages.send";
/** As long as the SHA-256 that stands here otherwise. */
const FINGERPRINT = "0123456789012345678901234567890123456789012";
const ACTOR = "key_01HKQ9R2X30000000000000000";

function send({ ask: { account_id, to, text }, key }: Waiting): string {
  const now = Date.now();
  const at = new Date(now).toISOString();
  const [id, lane] = [newId("msg", now), `account:${account_id}`];
  findAnswer.get(env_id, OPERATION, key);
  findAccount.get(env_id, account_id);
  findContact.get(env_id, to.slice(1));
  addMessage.run(
    env_id,
    id,
    "sandbox",
    account_id,
    "out",
    to,
    null,
    null,
    text,
    "queued",
    now,
    null,
    null,
    0,
    null,
    "{}",
    null,
    null,
    null,
    null,
    "[]",
    null,
    null,
    now,
    null,
    null,
    null,
    now,
  );
  addJob.run(env_id, id, OPERATION, lane, to, now, 0, 0, "sandbox", now, null);
  const data = {
    id,
    channel: "sandbox",
    account_id,
    direction: "out",
    to,
    contact_id: null,
    thread_id: null,
    text,
    status: "queued",
    eta: at,
    schedule_at: null,
    expires_at: null,
    silent: false,
    reply_to: null,
    error: null,
    last_error: null,
    attempts: [],
    metadata: {},
    created_at: at,
    sent_at: null,
    delivered_at: null,
    read_at: null,
    updated_at: at,
  };
  addEvent.run(env_id, newId("evt", now), "message.queued", id, ACTOR, JSON.stringify(data), now);
  const body = JSON.stringify({ id, status: "queued", eta: at });
  addAnswer.run(env_id, OPERATION, key, FINGERPRINT, 200, body, 0, now, null);
  return body;
}

let queue: Waiting[] = [];

function runGroup(): void {
  const group = queue;
  queue = [];
  begin.run();
  const bodies = group.map((waiting) => {
    savepoint.run();
    const body = send(waiting);
    release.run();
    return body;
  });
  commit.run();
  for (const [at, { answer }] of group.entries()) answer(bodies[at]!);
}

Bun.serve({
  hostname: "127.0.0.1",
  port,
  async fetch(request) {
    if (request.method === "GET") return new Response("up");
    const key = request.headers.get("idempotency-key")!;
    const ask = (await request.json()) as Ask;
    const body = await new Promise<string>((answer) => {
      if (queue.push({ ask, key, answer }) === 1) setImmediate(runGroup);
    });
    return new Response(body, { headers: { "content-type": "application/json;charset=utf-8" } });
  },
});
