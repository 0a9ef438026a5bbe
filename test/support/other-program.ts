import { Database as File } from "bun:sqlite";
import { writeSync } from "node:fs";
import { openDatabase } from "#db/open.ts";
import { silentLog } from "#src/core/log.ts";

/** Writes that are under way at once while acknowledging. */
const CALLERS = 32;

const [command = "", path = "", prefix = ""] = process.argv.slice(2);
const say = (line: string) => writeSync(1, `${line}\n`);
const toBeTold = () => new Promise((resolve) => process.stdin.on("end", resolve).resume());

/** What another program may do with a SQLite file: each ends when its input ends. */
const commands: Record<string, () => Promise<void>> = {
  /** Keeps everybody else from writing. */
  async hold() {
    const file = new File(path);
    file.run("BEGIN EXCLUSIVE");
    say("held");
    await toBeTold();
    file.run("ROLLBACK");
  },
  /** Inserts one counter. */
  async insert() {
    const file = new File(path);
    file.run("PRAGMA busy_timeout = 5000");
    file.run("INSERT INTO counters (name, value) VALUES (?, 1)", [prefix]);
    say("inserted");
    await toBeTold();
  },
  /** Inserts counters as fast as it can, and says the name of each once its promise has resolved. */
  async acknowledge() {
    const db = openDatabase(`sqlite:${path}`, silentLog);
    const insert = db.prepare<{ name: string }>((q, v) => q.insertInto("counters").values({ name: v("name"), value: 1 }));
    let next = 0;
    const caller = async () => {
      for (;;) {
        const name = `${prefix}-${next++}`;
        await db.write((tx) => insert.run(tx, { name }));
        say(name);
      }
    };
    await Promise.all(Array.from({ length: CALLERS }, caller));
  },
};

await commands[command]?.();
