import { expect, test } from "bun:test";
import fc from "fast-check";
import { setup } from "#test/support/telegram-user.ts";

const step = fc.oneof(
  { weight: 6, arbitrary: fc.record({ kind: fc.constant("write" as const), where: fc.constantFrom("private", "group", "forum") }) },
  {
    weight: 1,
    arbitrary: fc.constantFrom(
      { kind: "drop" as const },
      { kind: "restart" as const },
      { kind: "crash" as const },
      { kind: "wait" as const },
    ),
  },
);

test("whatever breaks off, a user account hears everything, and in the order of each chat where Telegram tells of it", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { minLength: 10, maxLength: 40 }), fc.constantFrom(3, Infinity), async (steps, total) => {
      await using app = await setup();
      app.dc.limitDifference({ total });
      const members = [app.ann, app.bob];
      const chats = {
        private: app.ann,
        group: app.dc.addGroup({ title: "Few", kind: "chat", members }),
        forum: app.dc.addGroup({ title: "Many", kind: "channel", members }),
      };
      app.dc.deliver(app.bob, chats.forum, "Before");
      const { link, connection: first } = await app.connected();
      let connection = first;
      const written: string[] = [];
      for (const one of steps) {
        if (one.kind === "write") {
          const text = `${one.where} ${written.length}`;
          written.push(text);
          app.dc.deliver(app.bob, chats[one.where as "private"], text);
        } else if (one.kind === "drop") app.dc.dropConnections();
        else if (one.kind === "wait") await app.send({ id: `msg_${written.length}` });
        else {
          if (one.kind === "crash") link.fault = new Error("no longer this process's");
          await connection.close();
          link.fault = null;
          connection = app.connect(link);
        }
      }
      const heard = () => [...new Set(link.happened.flatMap((told) => (told.kind === "received" ? told.text : [])))];
      await link.until(() => heard().length === written.length);
      expect(heard().toSorted()).toEqual(written.toSorted());
      // What is read from the history can come behind what is new.
      for (const where of total === Infinity ? Object.keys(chats) : []) {
        const there = (text: string) => text.startsWith(where);
        expect(heard().filter(there)).toEqual(written.filter(there));
      }
    }),
    { numRuns: 8, endOnFailure: true },
  );
}, 120_000);
