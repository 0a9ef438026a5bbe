import { beforeAll, expect, test } from "bun:test";
import { executable } from "#test/support/executable.ts";
import { startPosthouse } from "./posthouse.ts";

beforeAll(() => executable(), 60_000);

const CONNECTIONS = 50;

test("fifty connections that make one person at once make one contact", async () => {
  await using server = await startPosthouse();
  const headers = { authorization: `Bearer ${await server.sandboxKey()}`, "content-type": "application/json", connection: "close" };
  const identities = [{ username: "@Same_Person" }, { email: "same@example.com", username: "same_person" }];
  const answers = await Promise.all(
    Array.from({ length: CONNECTIONS }, async (_, at) => {
      const body = JSON.stringify({ ...identities[at % 2], tags: [`t${at}`] });
      const response = await fetch(`${server.url}/v1/contacts`, { method: "POST", headers, body });
      return { status: response.status, ...((await response.json()) as { id: string }) };
    }),
  );
  expect(new Set(answers.map(({ id }) => id)).size).toBe(1);
  expect(answers.map(({ status }) => status).toSorted()).toEqual([...Array.from({ length: CONNECTIONS - 1 }, () => 200), 201]);
  const list = (await (await fetch(`${server.url}/v1/contacts`, { headers })).json()) as { total: number; items: { tags: string[] }[] };
  expect([list.total, list.items[0]!.tags.length]).toEqual([1, CONNECTIONS]);
}, 60_000);
