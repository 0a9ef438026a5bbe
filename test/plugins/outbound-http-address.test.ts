import { describe, expect, test } from "bun:test";
import fc from "fast-check";
import ipaddr from "ipaddr.js";
import { refusalOf } from "#plugins/outbound-http/address.ts";
import { createHttpSender } from "#plugins/outbound-http/sender.ts";
import { createTestClock } from "#test/support/test-clock.ts";
import { answerWith, startRawServer } from "#test/support/raw-server.ts";

/** What IANA's registries of special purposes keep from the internet, and what nobody has been given. */
const REFUSED = [
  ...["0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24"],
  ...["192.88.99.0/24", "192.168.0.0/16", "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"],
  ...["255.255.255.255/32", "::/128", "::1/128", "::/96", "::ffff:0:0:0/96", "64:ff9b:1::/48", "100::/64", "100:0:0:1::/64", "2001::/23"],
  ...["2001::/32", "2001:2::/48", "2001:10::/28", "2001:20::/28", "2001:db8::/32", "2002::/16", "3fff::/20", "4000::/3", "5f00::/16"],
  ...["8000::/2", "fc00::/7", "fe80::/10", "fec0::/10", "ff00::/8"],
];

/** Prefixes before an IPv4 address by which it is reached all the same. */
const EMBEDDINGS = ["::ffff:0:0/96", "64:ff9b::/96"];

/** Any address of a range, as its first bits and any others. */
function within(range: string): fc.Arbitrary<ipaddr.IPv4 | ipaddr.IPv6> {
  const [base, bits] = ipaddr.parseCIDR(range);
  const first = base.toByteArray();
  return fc.array(fc.integer({ min: 0, max: 255 }), { minLength: first.length, maxLength: first.length }).map((any) =>
    ipaddr.fromByteArray(
      first.map((byte, index) => {
        const mask = (0xff00 >> Math.max(0, Math.min(8, bits - index * 8))) & 0xff;
        return (byte & mask) | (any[index]! & ~mask & 0xff);
      }),
    ),
  );
}

const judging = (answers: readonly string[] = []) =>
  createHttpSender({ clock: createTestClock(), allowPrivate: false, resolve: async () => answers });

describe("addresses", () => {
  test("no address within a range that is not the internet's is ever allowed", () => {
    fc.assert(
      fc.property(fc.constantFrom(...REFUSED).chain(within), (address) => {
        expect(refusalOf(address.toString())).toBeString();
        expect(refusalOf(address.toNormalizedString())).toBeString();
      }),
      { numRuns: 3_000 },
    );
  });

  test("an IPv4 address within an IPv6 one is judged as itself", () => {
    const IPv4 = fc.oneof(within("0.0.0.0/0"), fc.constantFrom(...REFUSED.filter((range) => range.includes("."))).chain(within));
    fc.assert(
      fc.property(fc.constantFrom(...EMBEDDINGS), IPv4, (range, inner) => {
        const [base] = ipaddr.parseCIDR(range);
        const outer = ipaddr.fromByteArray([...base.toByteArray().slice(0, 12), ...inner.toByteArray()]);
        expect(refusalOf(outer.toString())).toBe(refusalOf(inner.toString()));
      }),
      { numRuns: 2_000 },
    );
  });

  test.each([
    "1.1.1.1",
    "8.8.8.8",
    "93.184.216.34",
    "172.15.0.1",
    "172.32.0.1",
    "100.128.0.1",
    "2606:4700::1111",
    "2a00:1450::1",
    "::ffff:8.8.8.8",
  ])("%s is dialled", (address) => expect(refusalOf(address)).toBeNull());

  test.each([
    "",
    "example.com",
    "127.1",
    "010.0.0.1",
    "0x7f000001",
    "2130706433",
    "1.1.1.1.",
    " 1.1.1.1",
    "2606:4700::1%eth0",
    "[2606::1]",
  ])("%p is no address that is known", (text) => expect(refusalOf(text)).toBe("no address that is known"));
});

describe("what a webhook's address leads to", () => {
  test.each([
    ["http://127.0.0.1/", "127.0.0.1 is a loopback address"],
    ["http://127.255.255.254/", "127.255.255.254 is a loopback address"],
    ["http://[::1]/", "::1 is a loopback address"],
    ["http://10.1.2.3/", "10.1.2.3 is a private address"],
    ["http://172.16.0.1/", "172.16.0.1 is a private address"],
    ["http://172.31.255.255/", "172.31.255.255 is a private address"],
    ["http://192.168.1.1/", "192.168.1.1 is a private address"],
    ["http://169.254.169.254/latest/meta-data", "169.254.169.254 is a link-local address, where clouds keep their metadata"],
    ["http://[fd00:ec2::254]/", "fd00:ec2::254 is a private address"],
    ["http://[fc00::1]/", "fc00::1 is a private address"],
    ["http://[fe80::1]/", "fe80::1 is a link-local address, where clouds keep their metadata"],
    ["http://0.0.0.0/", "0.0.0.0 is an address of this machine"],
    ["http://0/", "0.0.0.0 is an address of this machine"],
    ["http://[::]/", ":: is an address of this machine"],
    ["http://[::ffff:127.0.0.1]/", "::ffff:7f00:1 is a loopback address"],
    ["http://[::ffff:a9fe:a9fe]/", "::ffff:a9fe:a9fe is a link-local address, where clouds keep their metadata"],
    ["http://[64:ff9b::10.0.0.1]/", "64:ff9b::a00:1 is a private address"],
    ["http://[2002:7f00:1::]/", "2002:7f00:1:: is an address that stands for another one"],
    ["http://2130706433/", "127.0.0.1 is a loopback address"],
    ["http://0177.0.0.1/", "127.0.0.1 is a loopback address"],
    ["http://0x7f.0.0.1/", "127.0.0.1 is a loopback address"],
    ["http://0x7f000001/", "127.0.0.1 is a loopback address"],
    ["http://127.1/", "127.0.0.1 is a loopback address"],
    ["http://017700000001/", "127.0.0.1 is a loopback address"],
    ["http://%31%32%37.0.0.1/", "127.0.0.1 is a loopback address"],
    ["http://①②⑦.0.0.1/", "127.0.0.1 is a loopback address"],
  ])("%s is refused, and why is told", async (url, reason) => {
    expect(await judging().judge(url)).toBe(reason);
    const { stage, error, status } = await judging().post({ url, headers: [], body: "" }, new AbortController().signal);
    expect([stage, status]).toEqual(["resolve", null]);
    expect(error).toMatch(/^it leads to an? [a-z -]+(, where clouds keep their metadata)?, which is not dialled$/);
  });

  test.each([[["127.0.0.1"]], [["93.184.216.34", "10.0.0.1"]], [["2606:4700::1111", "::ffff:192.168.0.1"]]])(
    "a name of which any address is refused is refused: %p",
    async (addresses) => {
      const sender = judging(addresses);
      expect(await sender.judge("https://hook.example/")).toMatch(/^the name resolves to a (loopback|private) address$/);
      const { stage, error } = await sender.post({ url: "https://hook.example/", headers: [], body: "" }, new AbortController().signal);
      expect([stage, error]).toEqual([
        "resolve",
        expect.stringMatching(/^it leads to a (loopback|private) address, which is not dialled$/),
      ]);
    },
  );

  test("a name that the internet knows may be registered, and one that does not resolve by now too", async () => {
    expect(await judging(["93.184.216.34"]).judge("https://hook.example/")).toBeNull();
    expect(await judging([]).judge("https://hook.example/")).toBeNull();
    const failing = createHttpSender({ clock: createTestClock(), allowPrivate: false, resolve: () => Promise.reject(new Error("none")) });
    expect(await failing.judge("https://hook.example/")).toBeNull();
  });

  test("a registration waits three seconds for a name, not longer", async () => {
    const clock = createTestClock();
    const sender = createHttpSender({ clock, allowPrivate: false, resolve: () => new Promise(() => undefined) });
    const judged = sender.judge("https://hook.example/");
    clock.advance(3_000);
    expect(await judged).toBeNull();
  });

  test("a name that was allowed and leads elsewhere by the time of the attempt is refused then", async () => {
    await using server = await startRawServer((socket) => socket.write(answerWith(200)));
    const answers = [["93.184.216.34"], ["127.0.0.1"]];
    const clock = createTestClock();
    const sender = createHttpSender({ clock, allowPrivate: false, resolve: async () => answers.shift() ?? [] });
    const url = `http://hook.example:${server.port}/`;
    expect(await sender.judge(url)).toBeNull();
    clock.advance(30_000);
    const result = await sender.post({ url, headers: [], body: "" }, new AbortController().signal);
    expect(result).toMatchObject({ stage: "resolve", error: "it leads to a loopback address, which is not dialled" });
    expect(server.sockets).toHaveLength(0);
  });

  test("the address that was judged is the one that is dialled, whatever the name leads to a moment later", async () => {
    await using judged = await startRawServer((socket) => socket.write(answerWith(200, "judged")), { host: "127.0.0.2" });
    await using other = await startRawServer((socket) => socket.write(answerWith(200, "other")), { host: "127.0.0.3", port: judged.port });
    const answers = ["127.0.0.2", "127.0.0.3", "127.0.0.3"];
    const asked: string[] = [];
    const resolve = async (name: string) => (asked.push(name), [answers.shift()!]);
    const sender = createHttpSender({ clock: createTestClock(), allowPrivate: true, resolve });
    const url = `http://hook.example:${judged.port}/`;
    const result = await sender.post({ url, headers: [], body: "{}" }, new AbortController().signal);
    expect([result.status, result.body]).toEqual([200, "judged"]);
    expect(asked).toEqual(["hook.example"]);
    expect(judged.requests[0]).toStartWith(`POST / HTTP/1.1\r\nhost: hook.example:${judged.port}\r\n`);
    expect(other.sockets).toHaveLength(0);
    await sender.close();
  });
});
