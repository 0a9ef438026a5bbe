import { randomInt } from "node:crypto";
import { createServer, type Server, type Socket } from "node:net";
import { setTimeout as wait } from "node:timers/promises";

/** How an endpoint's receiver behaves: `refusing` is deaf now and then, `flaky` fails in every other way, nobody listens at `dead`. */
export const kinds = ["healthy", "flaky", "refusing", "hanging", "dead"] as const;
export type Kind = (typeof kinds)[number];

/** A webhook that came whole, as its receiver wrote it down. */
export interface Arrival {
  /** Milliseconds since 1970. */
  at: number;
  path: string;
  id: string;
  /** What was done with it. */
  answer: Play;
}

type Play = "ok" | "error" | "busy" | "cut" | "elsewhere" | "reset" | "hang";

interface Told {
  /** Where each kind listens. */
  urls: Record<Kind, string>;
}

/** Receivers in a process of their own. */
export interface Receivers extends AsyncDisposable, Told {
  arrivals(): Promise<Arrival[]>;
}

/** Nobody listens there. */
const NOBODY = "http://127.0.0.1:9";
const DEAF_MS = { min: 50, max: 600 };
const HEARS_MS = { min: 300, max: 1_500 };
/** Of a thousand answers of a flaky receiver, so many are of a kind; the rest are good. */
const PLAYS: readonly (readonly [play: Play, of_thousand: number])[] = [
  ["error", 100],
  ["busy", 60],
  ["cut", 60],
  ["elsewhere", 60],
  ["reset", 60],
  // Each takes ten seconds.
  ["hang", 2],
];

function play(): Play {
  let left = randomInt(1_000);
  for (const [play, share] of PLAYS) if ((left -= share) < 0) return play;
  return "ok";
}

const plain = (status: string, headers = "") => `HTTP/1.1 ${status}\r\n${headers}content-length: 2\r\n\r\nok`;

function answer(socket: Socket, play: Play): void {
  switch (play) {
    case "ok":
      return void socket.write(plain("200 OK"));
    case "error":
      return void socket.write(plain("500 Internal Server Error"));
    case "busy":
      return void socket.write(plain("429 Too Many Requests", `retry-after: ${randomInt(1, 4)}\r\n`));
    case "elsewhere":
      return void socket.write(plain("302 Found", "location: http://127.0.0.1:9/elsewhere\r\n"));
    case "cut":
      return void socket.end("HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\nnot all of");
    case "reset":
      return void socket.resetAndDestroy();
    case "hang":
      return;
    default:
      return play satisfies never;
  }
}

/** Serves over bare sockets, so that an answer can be anything. */
function serve(socket: Socket, onRequest: (head: string) => Play): void {
  let got = "";
  socket.on("error", () => socket.destroy());
  socket.on("data", (chunk: Buffer) => {
    // As Latin-1, where a character is a byte.
    got += chunk.toString("latin1");
    for (;;) {
      const head = got.indexOf("\r\n\r\n");
      if (head === -1) return;
      const end = head + 4 + Number(/\r\ncontent-length: (\d+)/i.exec(got)?.[1] ?? 0);
      if (got.length < end) return;
      const request = got.slice(0, head);
      got = got.slice(end);
      answer(socket, onRequest(request));
    }
  });
}

function listen(server: Server, port = 0): Promise<number> {
  return new Promise((resolve) => server.listen(port, "127.0.0.1", () => resolve((server.address() as { port: number }).port)));
}

/** Listens now and then; the connections that stand go when it stops. */
async function comeAndGo(onRequest: (head: string) => Play): Promise<number> {
  const open = new Set<Socket>();
  const server = createServer((socket) => {
    open.add(socket);
    socket.on("close", () => open.delete(socket));
    serve(socket, onRequest);
  });
  const port = await listen(server);
  void (async () => {
    for (;;) {
      await wait(randomInt(HEARS_MS.min, HEARS_MS.max));
      const closed = new Promise((resolve) => server.close(resolve));
      for (const socket of open) socket.destroy();
      await closed;
      await wait(randomInt(DEAF_MS.min, DEAF_MS.max));
      await listen(server, port);
    }
  })();
  return port;
}

async function main(): Promise<void> {
  const arrivals: Arrival[] = [];
  const note = (play: () => Play) => (head: string) => {
    const one = { at: Date.now(), path: head.split(" ", 2)[1]!, id: /\r\nwebhook-id: (\S+)/i.exec(head)?.[1] ?? "", answer: play() };
    arrivals.push(one);
    return one.answer;
  };
  const start = async (play: () => Play) => listen(createServer((socket) => serve(socket, note(play))));
  const ports = {
    healthy: await start(() => "ok"),
    flaky: await start(play),
    hanging: await start(() => "hang"),
    refusing: await comeAndGo(note(() => "ok")),
  };
  const urlOf = (port: number) => `http://127.0.0.1:${port}`;
  const urls = Object.fromEntries(Object.entries(ports).map(([kind, port]) => [kind, urlOf(port)]));
  const control = Bun.serve({ port: 0, hostname: "127.0.0.1", idleTimeout: 0, fetch: () => Response.json(arrivals) });
  process.stdout.write(`${JSON.stringify({ control: urlOf(control.port!), urls: { ...urls, dead: NOBODY } })}\n`);
  // It doesn't outlive whoever started it.
  for await (const _ of process.stdin);
  process.exit(0);
}

export async function spawnReceivers(): Promise<Receivers> {
  const child = Bun.spawn([process.execPath, import.meta.path], { stdin: "pipe", stdout: "pipe", stderr: "inherit" });
  let text = "";
  for await (const chunk of child.stdout) if ((text += Buffer.from(chunk).toString()).includes("\n")) break;
  const { control, urls } = JSON.parse(text) as Told & { control: string };
  return {
    urls,
    arrivals: async () => (await (await fetch(control)).json()) as Arrival[],
    async [Symbol.asyncDispose]() {
      child.kill();
      await child.exited;
    },
  };
}

if (import.meta.main) await main();
