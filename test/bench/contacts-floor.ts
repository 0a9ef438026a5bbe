import { Database as File, type SQLQueryBindings } from "bun:sqlite";
import { newId } from "#src/core/ids.ts";
import { personOf } from "#test/support/people.ts";

/** The floor under an import: one loop of prepared inserts into the same tables and indexes, of rows that are ready. */
export interface FloorPlan {
  /** A database with the schema and no contact. */
  path: string;
  env_id: number;
  count: number;
}

export interface FloorResult {
  /** Of inserting and committing alone. */
  seconds: number;
}

/** Rows of a transaction, and how many are made ready at a time. */
const ROWS = 10_000;
const FIELD_ID = "fld_01HKQ9R2X30000000000000000";

type Row = SQLQueryBindings[];

interface Ready {
  contact: Row;
  tags: Row[];
  value: Row;
  words: Row;
}

function load({ path, env_id, count }: FloorPlan): FloorResult {
  const file = new File(path, { readwrite: true });
  const pragmas = ["journal_mode = WAL", "synchronous = FULL", "cache_size = -16000", "temp_store = MEMORY", "wal_autocheckpoint = 4000"];
  for (const pragma of pragmas) file.run(`PRAGMA ${pragma}`);
  const prepare = (sql: string) => file.prepare<unknown, SQLQueryBindings[]>(sql);
  const [begin, commit] = [prepare("BEGIN IMMEDIATE"), prepare("COMMIT")];
  const addContact = prepare(
    `insert into contacts (row, env_id, id, number, external_id, telegram_id, username, email, phone, name, first_name, last_name, sort_name, language, timezone, consent, tags, fields, metadata, last_seen_at, deleted_at, created_at, updated_at) values (${Array.from({ length: 23 }, () => "?").join(", ")})`,
  );
  const addTag = prepare("insert into contact_tags (env_id, tag, contact_row) values (?, ?, ?)");
  const addValue = prepare("insert into contact_values (env_id, field_id, txt, num, contact_row) values (?, ?, ?, null, ?)");
  const addWords = prepare("insert into contact_words (rowid, words) values (?, ?)");

  function readyOf(n: number): Ready {
    const { external_id, username, name, email = null, phone = null, telegram_id = null, language, timezone, tags, fields } = personOf(n);
    const [row, now, sort_name] = [n + 1, Date.now(), name.toLowerCase()];
    const space = name.indexOf(" ");
    const names = [name, name.slice(0, space), name.slice(space + 1), sort_name];
    const kept = [JSON.stringify(tags), JSON.stringify({ [FIELD_ID]: fields.plan }), "{}"];
    const words = `${sort_name} ${username} ${username.replace("_", " ")} ${email?.replaceAll(/[@.]/g, " ") ?? ""} ${phone?.slice(1) ?? ""}`;
    return {
      contact: [
        ...[row, env_id, newId("ct", now), row, external_id, telegram_id, username, email, phone, ...names, language, timezone],
        ...[null, ...kept, null, null, now, now],
      ],
      tags: tags.map((tag) => [env_id, tag, row]),
      value: [env_id, FIELD_ID, fields.plan, row],
      words: [row, [...new Set(words.split(" ").filter((word) => word !== ""))].map((word) => `${env_id}_${word}`).join(" ")],
    };
  }

  let ms = 0;
  for (let first = 0; first < count; first += ROWS) {
    const ready = Array.from({ length: Math.min(ROWS, count - first) }, (_, at) => readyOf(first + at));
    const startedAt = performance.now();
    begin.run();
    for (const { contact, tags, value, words } of ready) {
      addContact.run(...contact);
      for (const tag of tags) addTag.run(...tag);
      addValue.run(...value);
      addWords.run(...words);
    }
    commit.run();
    ms += performance.now() - startedAt;
  }
  file.close();
  return { seconds: ms / 1000 };
}

process.stdout.write(JSON.stringify(load(JSON.parse(process.argv[2]!) as FloorPlan)));
