import type { Socket } from "bun";

/**
 * A process that sends messages as fast as they are answered, over raw connections with one request each on the way.
 * Its requests are buffers in which only the digits of the Idempotency-Key change, and it reads no more of an answer than
 * its status and its end: at equal rates it costs less than the servers that it measures.
 */
export interface LoadPlan {
  port: number;
  key: string;
  connections: number;
  warmUpSeconds: number;
  seconds: number;
}

export interface LoadResult {
  /** Answers with status 200 a second. */
  rate: number;
  refused: number;
}

const BRACE = "}".charCodeAt(0);
const ZERO = "0".charCodeAt(0);
const KEY_LENGTH = 16;
const STATUS_AT = "HTTP/1.1 ".length;

interface Connection {
  request: Buffer;
  keyEndsAt: number;
  answering: boolean;
}

/** The request of a send; every connection writes to somebody else. */
export function sendRequest({ port, key }: Pick<LoadPlan, "port" | "key">, recipient: string, idempotencyKey: string): string {
  const body = JSON.stringify({ account_id: 7421, to: recipient, text: "Hey {first_name}, your invite is ready" });
  return `POST /v1/messages/send HTTP/1.1\r\nHost: 127.0.0.1:${port}\r\nAuthorization: Bearer ${key}\r\nContent-Type: application/json\r\nIdempotency-Key: ${idempotencyKey}\r\nContent-Length: ${body.length}\r\n\r\n${body}`;
}

async function load(plan: LoadPlan): Promise<LoadResult> {
  let counting = false;
  let accepted = 0;
  let refused = 0;
  let over = false;

  function send(socket: Socket<Connection>): void {
    const { request, keyEndsAt } = socket.data;
    for (let at = keyEndsAt; ; at--) {
      const digit = request[at]!;
      request[at] = digit === ZERO + 9 ? ZERO : digit + 1;
      if (digit !== ZERO + 9) break;
    }
    socket.write(request);
  }

  function receive(socket: Socket<Connection>, chunk: Buffer): void {
    const connection = socket.data;
    if (!connection.answering && counting) {
      if (chunk[STATUS_AT] === ZERO + 2) accepted++;
      else refused++;
    }
    // An answer is one flat object: its only brace that closes is its last byte.
    connection.answering = chunk.at(-1) !== BRACE;
    if (!connection.answering && !over) send(socket);
  }

  const sockets = await Promise.all(
    Array.from({ length: plan.connections }, (_, number) => {
      const prefix = `${String(process.pid % 100_000).padStart(5, "0")}${String(number).padStart(3, "0")}`;
      const text = sendRequest(plan, `@reader_${number}`, prefix.padEnd(KEY_LENGTH, "0"));
      const keyEndsAt = text.indexOf(prefix.padEnd(KEY_LENGTH, "0")) + KEY_LENGTH - 1;
      return Bun.connect<Connection>({
        hostname: "127.0.0.1",
        port: plan.port,
        data: { request: Buffer.from(text), keyEndsAt, answering: false },
        socket: { data: receive },
      });
    }),
  );
  for (const socket of sockets) send(socket);
  await passed(plan.warmUpSeconds);
  counting = true;
  const startedAt = performance.now();
  await passed(plan.seconds);
  counting = false;
  const seconds = (performance.now() - startedAt) / 1000;
  over = true;
  for (const socket of sockets) socket.end();
  return { rate: accepted / seconds, refused };
}

function passed(seconds: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, seconds * 1000));
}

if (import.meta.main) {
  process.stdout.write(JSON.stringify(await load(JSON.parse(process.argv[2]!) as LoadPlan)));
  process.exit(0);
}
