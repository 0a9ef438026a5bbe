/** A webhook as it arrived. */
export interface Received {
  path: string;
  headers: Headers;
  body: string;
  /** The id of its event. */
  id: string;
}

type Answer = Response | number;
type Answering = (received: Received, earlier: number) => Answer | Promise<Answer>;

/** A receiver of webhooks on loopback, which answers 200 until it is told otherwise. */
export interface Receiver extends AsyncDisposable {
  url(path?: string): string;
  received: Received[];
  /** How a path answers from now on. @param answering gets what arrived, and how often that event came to the path before */
  answer(path: string, answering: Answering): void;
  /** Ids of the events that came to a path, in order. */
  ids(path?: string): string[];
  /** Resolves when so many have come to a path. */
  waitFor(count: number, path?: string): Promise<Received[]>;
}

export function openReceiver(): Receiver {
  const received: Received[] = [];
  const answers = new Map<string, Answering>();
  const waiting = new Set<() => void>();
  const server = Bun.serve({
    port: 0,
    hostname: "127.0.0.1",
    idleTimeout: 0,
    async fetch(request) {
      const path = new URL(request.url).pathname;
      const one = { path, headers: request.headers, body: await request.text(), id: request.headers.get("webhook-id") ?? "" };
      const earlier = received.filter((other) => other.path === path && other.id === one.id).length;
      received.push(one);
      for (const look of waiting) look();
      const answer = await (answers.get(path)?.(one, earlier) ?? 200);
      return typeof answer === "number" ? new Response("ok", { status: answer }) : answer;
    },
  });
  const at = (path: string) => received.filter((one) => one.path === path);
  return {
    url: (path = "/hook") => `http://127.0.0.1:${server.port}${path}`,
    received,
    answer: (path, answering) => void answers.set(path, answering),
    ids: (path = "/hook") => at(path).map(({ id }) => id),
    waitFor(count, path = "/hook") {
      return new Promise((resolve) => {
        const look = () => {
          if (at(path).length < count) return;
          waiting.delete(look);
          resolve(at(path));
        };
        waiting.add(look);
        look();
      });
    },
    async [Symbol.asyncDispose]() {
      await server.stop(true);
    },
  };
}
