import { createCipheriv, createDecipheriv, createHash } from "node:crypto";
import { connect, createServer, type Server, type Socket } from "node:net";

export interface Proxy extends AsyncDisposable {
  port: number;
  /** How many connections it has passed on. */
  passed(): number;
}

interface Endpoint {
  host: string;
  port: number;
}

/** A SOCKS5 proxy that wants a password: https://www.rfc-editor.org/rfc/rfc1928, https://www.rfc-editor.org/rfc/rfc1929 */
export function startSocks(user: string, password: string): Promise<Proxy> {
  return serve(async (socket, pass) => {
    const read = reader(socket);
    const [, methods = 0] = await read(2);
    await read(methods);
    socket.write(Uint8Array.of(5, 2));
    const [, userLength = 0] = await read(2);
    const givenUser = (await read(userLength)).toString();
    const givenPassword = (await read((await read(1))[0] ?? 0)).toString();
    const isRight = givenUser === user && givenPassword === password;
    socket.write(Uint8Array.of(1, isRight ? 0 : 1));
    if (!isRight) {
      socket.end();
      return;
    }
    await read(4);
    const host = [...(await read(4))].join(".");
    const port = (await read(2)).readUInt16BE();
    const onward = pass({ host, port });
    socket.write(Uint8Array.of(5, 0, 0, 1, 0, 0, 0, 0, 0, 0));
    socket.pipe(onward).pipe(socket);
    socket.unshift(read.rest());
  });
}

/** An MTProxy: https://core.telegram.org/mtproto/mtproto-transports#transport-obfuscation @param secret 16 bytes */
export function startMtProxy(secret: Uint8Array, dc: Endpoint): Promise<Proxy> {
  return serve(async (socket, pass) => {
    const read = reader(socket);
    const head = await read(64);
    const keyOf = (part: Buffer) => createHash("sha256").update(part.subarray(0, 32)).update(secret).digest();
    const there = head.subarray(8, 56);
    const back = Buffer.from(there.toReversed());
    const decipher = createDecipheriv("aes-256-ctr", keyOf(there), there.subarray(32, 48));
    const cipher = createCipheriv("aes-256-ctr", keyOf(back), back.subarray(32, 48));
    const tag = decipher.update(head).subarray(56, 60);
    const onward = pass(dc);
    onward.write(tag);
    onward.write(decipher.update(read.rest()));
    socket.on("data", (data) => onward.write(decipher.update(data as Buffer)));
    onward.on("data", (data) => socket.write(cipher.update(data as Buffer)));
    onward.on("close", () => socket.end());
    socket.on("close", () => onward.end());
  });
}

type Pass = (endpoint: Endpoint) => Socket;

async function serve(handle: (socket: Socket, pass: Pass) => Promise<unknown>): Promise<Proxy> {
  let passed = 0;
  const sockets = new Set<Socket>();
  const pass: Pass = ({ host, port }) => {
    passed += 1;
    const onward = connect(port, host);
    onward.on("error", () => onward.destroy());
    sockets.add(onward);
    return onward;
  };
  const server: Server = createServer((socket) => {
    sockets.add(socket);
    socket.on("error", () => socket.destroy());
    handle(socket, pass).catch(() => socket.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const address = server.address();
  return {
    port: typeof address === "object" && address !== null ? address.port : 0,
    passed: () => passed,
    async [Symbol.asyncDispose]() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** Reads so many bytes at a time, until the rest is asked for. */
function reader(socket: Socket) {
  let buffer = Buffer.alloc(0);
  let wake: () => void = () => undefined;
  const take = (data: Buffer) => {
    buffer = Buffer.concat([buffer, data]);
    wake();
  };
  socket.on("data", take);
  async function read(count: number): Promise<Buffer> {
    while (buffer.length < count) await new Promise<void>((resolve) => (wake = resolve));
    const taken = buffer.subarray(0, count);
    buffer = buffer.subarray(count);
    return taken;
  }
  return Object.assign(read, {
    rest() {
      socket.off("data", take);
      return buffer;
    },
  });
}
