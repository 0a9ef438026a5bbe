import { afterEach, expect, test } from "bun:test";
import { Api } from "grammy";
import type { Update } from "grammy/types";
import { startBotApi, type BotApiOptions } from "./start.ts";

const cleanups: (() => unknown)[] = [];
afterEach(async () => {
  for (const cleanup of cleanups.splice(0).toReversed()) await cleanup();
});

async function setup(options: BotApiOptions = {}) {
  const api = await startBotApi({ webhookRetryMs: 1, ...options });
  cleanups.push(() => api.stop());
  const bot = api.addBot();
  return { api, bot, client: new Api(bot.token, { apiRoot: api.url }) };
}

function receive(answer: (update: Update, request: Request) => Response | Promise<Response>) {
  const receiver = Bun.serve({
    hostname: "127.0.0.1",
    port: 0,
    fetch: async (request) => answer((await request.clone().json()) as Update, request),
  });
  cleanups.push(() => receiver.stop(true));
  return receiver.url.origin;
}

test("an HTTPS address is reached behind a proxy that ends TLS, with its path", async () => {
  const { api, bot, client } = await setup();
  const paths: string[] = [];
  const origin = receive((_, { url }) => {
    paths.push(new URL(url).pathname);
    return new Response();
  });
  api.routeWebhooks(origin);
  await client.setWebhook("https://crm.example.com/hooks/7");
  api.say(bot, api.addPrivateChat(bot), "Hi");
  await api.waitFor(() => paths.length === 1);
  expect(paths).toEqual(["/hooks/7"]);
  expect(await client.getWebhookInfo()).toMatchObject({ url: "https://crm.example.com/hooks/7" });
});

test("a chat whose updates are refused holds no other back, and keeps its order", async () => {
  const { api, bot, client } = await setup();
  const [sarah, tom] = api.addPrivateChats(bot, 2);
  const taken: string[] = [];
  let isDown = true;
  const origin = receive(({ message }) => {
    const isRefused = isDown && message?.chat.id === sarah?.id;
    if (!isRefused) taken.push(message?.text ?? "");
    return new Response(null, { status: isRefused ? 503 : 200 });
  });
  for (const text of ["s1", "s2", "s3"]) api.say(bot, sarah ?? { id: 0 }, text);
  for (const text of ["t1", "t2"]) api.say(bot, tom ?? { id: 0 }, text);
  await client.setWebhook(`${origin}/`);
  await api.waitFor(() => taken.length === 2);
  expect(taken).toEqual(["t1", "t2"]);
  expect(await client.getWebhookInfo()).toMatchObject({
    pending_update_count: 3,
    last_error_message: "Wrong response from the webhook: 503 Service Unavailable",
  });
  isDown = false;
  await api.waitFor(() => taken.length === 5);
  expect(taken.slice(2)).toEqual(["s1", "s2", "s3"]);
});

test("no more connections are used than were asked for", async () => {
  const { api, bot, client } = await setup();
  const [full, opened] = [Promise.withResolvers<void>(), Promise.withResolvers<void>()];
  let open = 0;
  let most = 0;
  let taken = 0;
  const origin = receive(async () => {
    most = Math.max(most, ++open);
    if (open === 3) full.resolve();
    await opened.promise;
    open--;
    taken++;
    return new Response();
  });
  for (const chat of api.addPrivateChats(bot, 20)) api.say(bot, chat, "Hi");
  await client.setWebhook(`${origin}/`, { max_connections: 3 });
  await full.promise;
  expect(await client.getWebhookInfo()).toMatchObject({ max_connections: 3, pending_update_count: 20 });
  opened.resolve();
  await api.waitFor(() => taken === 20);
  expect(most).toBe(3);
});

test("a webhook ends a poll, leaves out what was not asked for, and can drop what waited", async () => {
  const { api, bot, client } = await setup();
  const sarah = api.addPrivateChat(bot);
  const kinds: string[] = [];
  const origin = receive((update) => {
    kinds.push(...Object.keys(update).slice(1));
    return new Response();
  });
  const poll = client.getUpdates({ timeout: 30 }).catch((error: unknown) => String(error));
  await api.waitFor(() => api.requests.by_method.getupdates === 1);
  await client.setWebhook(`${origin}/`, { allowed_updates: ["my_chat_member"] });
  expect(await poll).toContain("409: Conflict: terminated by setWebhook request");
  api.say(bot, sarah, "unheard");
  api.block(bot, sarah);
  await api.waitFor(() => kinds.length === 1);
  expect(kinds).toEqual(["my_chat_member"]);
  expect(await client.getWebhookInfo()).toMatchObject({ allowed_updates: ["my_chat_member"], pending_update_count: 0 });
  await client.deleteWebhook();
  api.unblock(bot, sarah);
  await client.deleteWebhook({ drop_pending_updates: true });
  expect(await client.getUpdates()).toEqual([]);
});
