import { Database as File } from "bun:sqlite";

/** The floor under hearing: polls a bot's updates, keeps each as a row, and commits before it asks for the next. */
export interface InboundFloorPlan {
  /** Of the Bot API. */
  url: string;
  token: string;
  /** Of a new database. */
  path: string;
  /** It ends with so many updates. */
  count: number;
}

const POLL_S = 50;
const LIMIT = 100;

interface Update {
  update_id: number;
  message: { message_id: number; text: string; chat: { id: number } };
}

async function hear({ url, token, path, count }: InboundFloorPlan): Promise<number> {
  const file = new File(path, { create: true, readwrite: true });
  const pragmas = ["journal_mode = WAL", "synchronous = FULL", "cache_size = -16000", "temp_store = MEMORY", "wal_autocheckpoint = 4000"];
  for (const pragma of pragmas) file.run(`PRAGMA ${pragma}`);
  file.run("create table updates (update_id integer primary key, body text not null, at integer not null)");
  const insert = file.prepare<unknown, [number, string, number]>("insert into updates (update_id, body, at) values (?, ?, ?)");
  const keep = file.transaction((updates: readonly Update[]) => {
    for (const update of updates) insert.run(update.update_id, JSON.stringify(update), Date.now());
  });
  let kept = 0;
  let offset = 0;
  const poll = async (timeout: number) => {
    const response = await fetch(`${url}/bot${token}/getUpdates`, {
      method: "POST",
      headers: { "content-type": "application/json" },
      body: JSON.stringify({ offset, limit: LIMIT, timeout }),
    });
    return ((await response.json()) as { result: Update[] }).result;
  };
  while (kept < count) {
    const updates = await poll(POLL_S);
    if (updates.length === 0) continue;
    keep(updates);
    kept += updates.length;
    offset = updates.at(-1)!.update_id + 1;
  }
  // The next would confirm the last.
  await poll(0);
  file.close();
  return kept;
}

process.stdout.write(JSON.stringify(await hear(JSON.parse(process.argv[2]!) as InboundFloorPlan)));
