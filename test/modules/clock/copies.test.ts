import { describe, expect, test } from "bun:test";
import { createFileFolder } from "#plugins/files/folder.ts";
import { createHttpSender } from "#plugins/outbound-http/sender.ts";
import { createSandboxChannel } from "#plugins/sandbox/channel.ts";
import { createCipher } from "#src/core/cipher.ts";
import { createLog } from "#src/core/log.ts";
import { createMovedClock } from "#src/core/moved-clock.ts";
import { createServices } from "#src/services.ts";
import { appEngines, setup, type TestApp } from "#test/support/app.ts";
import { move } from "#test/support/rehearsing.ts";
import { queue, read, turn } from "#test/support/sending.ts";
import { movingOn } from "#test/support/test-clock.ts";

const DAY_MS = 86_400_000;

/** Another process on the same data, which hears of the first only when it is told. */
function openCopy({ db, clock: base, filesFolder }: TestApp) {
  const clock = createMovedClock(base);
  const http = createHttpSender({ clock, allowPrivate: true });
  const services = createServices({
    ...{ db, clock, http, events_retention_days: 30, channels: [createSandboxChannel(clock)] },
    log: createLog({ level: "error", format: "json", now: base.now, write() {} }),
    cipher: createCipher("a secret of thirty-two characters"),
    gate: { check: () => Promise.reject(new Error("nobody asks")) },
    ring() {},
    files: { folder: createFileFolder(filesFolder), cacheBytesMax: 0 },
    tellCopies() {},
    amSole: () => Promise.resolve(false),
  });
  return { clock, services };
}

const sandboxOf = (env_id: number) => ({ env_id, mode: "test" }) as const;

describe.each(appEngines)("a test clock and several copies on %s", (engine) => {
  test("a copy that has not heard of a move plans by it all the same", async () => {
    await using app = await setup({ engine });
    const { env_id } = app.sandbox;
    const { clock, services } = openCopy(app);
    await move(app, app.sandbox, { advance: "3d" });
    expect(clock.offset(env_id)).toBe(0);
    const schedule_at = new Date(app.clock.now(env_id) + DAY_MS).toISOString();
    await app.db.write(async (tx) => {
      await services.clock.heed(tx, sandboxOf(env_id), "messages.send");
      const sender = { env_id, key_id: "command", account_ids: null };
      await services.messages.send(tx, sender, { account_id: 7421, to: "@sarah", text: "Tomorrow", schedule_at });
    });
    expect(clock.offset(env_id)).toBe(app.clock.offset(env_id));
    const [job] = await app.db.read.selectFrom("jobs").select("run_at").where("env_id", "=", env_id).execute();
    expect(job!.run_at).toBe(app.clock.real(env_id, Date.parse(schedule_at)));
  });

  test("one that starts later has the time that was moved to, and none but that", async () => {
    await using app = await setup({ engine });
    await move(app, app.sandbox, { advance: "3d" });
    const { clock, services } = openCopy(app);
    await services.clock.reload();
    expect(clock.offset(app.sandbox.env_id)).toBe(app.clock.offset(app.sandbox.env_id));
    expect(clock.offset(app.live.env_id)).toBe(0);
    expect((await services.clock.get(sandboxOf(app.sandbox.env_id))).offset_ms).toBe(app.clock.offset(app.sandbox.env_id));
  });
});

// On SQLite one process serves.
describe.each(appEngines.filter((engine) => engine === "postgres"))("a test clock and two that serve on %s", (engine) => {
  test("what the other one sends, it sends by the time that the first has moved to", async () => {
    await using app = await setup({ engine });
    const { sandbox } = app;
    const start = app.clock.now();
    const { services } = openCopy(app);
    // The other has the lane, and hears of things only by rings, which here are its own looks.
    await movingOn(app.clock, app.services.loop.stop());
    await services.loop.start();
    await app.services.loop.start();
    const id = await queue(sandbox, { schedule_at: new Date(start + 2 * DAY_MS).toISOString() });
    services.rescan();
    const looking = { over: false };
    const looks = (async () => {
      while (!looking.over) {
        await turn();
        services.rescan();
      }
    })();
    const moved = await move(app, sandbox, { advance: "3d" });
    looking.over = true;
    await looks;
    expect(moved.sent).toBe(1);
    const { sent_at, status } = await read(sandbox, id);
    expect(status).toBe("sent");
    expect(Date.parse(sent_at!)).toBeGreaterThanOrEqual(start + 2 * DAY_MS);
    expect(Date.parse(sent_at!)).toBeLessThan(start + 2 * DAY_MS + 60_000);
    await movingOn(app.clock, services.loop.stop());
  });
});
