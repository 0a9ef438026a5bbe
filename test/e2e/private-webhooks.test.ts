import { beforeAll, describe, expect, test } from "bun:test";
import { hostname } from "node:os";
import { lookup } from "node:dns/promises";
import type { DeliveryDetail } from "#src/modules/webhooks/delivery-model.ts";
import type { Caller } from "#test/support/client.ts";
import { executable } from "#test/support/executable.ts";
import { answerWith, startRawServer } from "#test/support/raw-server.ts";
import { tempFolder } from "#test/support/temp-folder.ts";
import { faultOf, makeWebhook } from "#test/support/webhooks.ts";
import { connect, eventually } from "./api.ts";
import { startPosthouse } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

/** Hosts of URLs, by what each is said to be. */
const refused: Readonly<Record<string, readonly string[]>> = {
  "a loopback address": [
    ...["127.0.0.1", "127.255.255.254", "[::1]", "[0:0:0:0:0:0:0:1]", "localhost", "LOCALHOST", "127.1", "127.0.1"],
    ...["2130706433", "0x7f000001", "0X7F.1", "017700000001", "0177.0.0.1", "0x7f.0x0.0x0.0x1", "%31%32%37.0.0.1", "１２７.0.0.1"],
    ...["[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[64:ff9b::7f00:1]"],
  ],
  "a private address": [
    ...["10.0.0.1", "10.255.255.255", "172.16.0.1", "172.31.255.255", "192.168.0.1", "192.168.255.255", "[fc00::1]", "[fd12:3456::1]"],
    ...["167772161", "0xa.1", "012.0.0.1", "0300.0250.1", "[::ffff:10.0.0.1]", "[::ffff:c0a8:1]", "[64:ff9b::a00:1]"],
  ],
  "a link-local address, where clouds keep their metadata": [
    ...["169.254.169.254", "169.254.0.1", "2852039166", "0xa9fea9fe", "0251.0376.0251.0376", "[fe80::1]", "[febf::1]"],
    ...["[::ffff:169.254.169.254]", "[::ffff:a9fe:a9fe]"],
  ],
  "an address of this machine": ["0.0.0.0", "0", "0x0", "[::]", "[::ffff:0.0.0.0]"],
  "a private address of a provider": ["100.64.0.1", "100.127.255.255"],
};

const retry = { max_attempts: 2, schedule: [1] };

/** Whether this machine's own name leads to itself, as it does on most. */
async function ownName(): Promise<string[]> {
  const { address } = await lookup(hostname()).catch(() => ({ address: "" }));
  return address.startsWith("127.") || address === "::1" ? [hostname()] : [];
}

describe("an address that is not the internet's", () => {
  test("is refused in every spelling, and told why", async () => {
    await using posthouse = await startPosthouse();
    const caller = (await connect(posthouse)).as(await posthouse.sandboxKey());
    for (const [why, hosts] of Object.entries({
      ...refused,
      "a loopback address": [...refused["a loopback address"]!, ...(await ownName())],
    }))
      for (const scheme of ["http", "https"])
        for (const host of hosts) {
          const url = `${scheme}://${host}:8080/hook`;
          const answer = await caller.post("/v1/webhooks", { url, events: ["*"] });
          expect([url, ...faultOf(answer)]).toEqual([url, 422, "url", "refused"]);
          expect(answer.text).toContain(why);
        }
    expect((await caller.get<{ total: number }>("/v1/webhooks")).body.total).toBe(0);
  }, 30_000);

  test("is not dialled when it was registered while that was allowed, and the log of deliveries tells it", async () => {
    using folder = tempFolder();
    await using listener = await startRawServer((socket) => socket.write(answerWith(200)));
    const allowing = await startPosthouse({ folder: folder.path, env: { ALLOW_PRIVATE_WEBHOOKS: "true" } });
    const key = await allowing.sandboxKey();
    const before = (await connect(allowing)).as(key);
    const hosts = ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]", "0.0.0.0"];
    const ids: string[] = [];
    for (const host of hosts) {
      const { id } = await makeWebhook(before, { url: `http://${host}:${listener.port}/hook`, events: ["contact.created"], retry });
      ids.push(id);
    }
    await before.post("/v1/contacts", { username: "@sarah" });
    // That they do lead there.
    await listener.received(hosts.length);
    expect(await allowing.stop()).toBe(0);
    const connections = listener.sockets.length;

    await using strict = await startPosthouse({ folder: folder.path });
    const caller = (await connect(strict)).as(key);
    await caller.post("/v1/contacts", { username: "@peter" });
    for (const id of ids) {
      const { attempts } = await deadLetterOf(caller, id);
      expect(attempts).toHaveLength(retry.max_attempts);
      for (const attempt of attempts) {
        expect(attempt).toMatchObject({ stage: "resolve", status: null, response: null });
        expect(attempt.error).toMatch(/^it leads to (a loopback address|an address of this machine), which is not dialled$/);
      }
    }
    expect(listener.sockets).toHaveLength(connections);
  }, 30_000);
});

async function deadLetterOf(caller: Caller, webhook_id: string): Promise<DeliveryDetail> {
  const ask = () => caller.get<{ items: { id: string }[] }>(`/v1/webhooks/${webhook_id}/deliveries?status=dead_letter`);
  const { body } = await eventually("no dead letter", ask, ({ body }) => body.items.length > 0);
  return (await caller.get<DeliveryDetail>(`/v1/deliveries/${body.items[0]!.id}`)).body;
}
