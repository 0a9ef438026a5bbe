/** A client of a server that is measured. Every answer but a success throws. */
export interface Api {
  get<Body>(path: string): Promise<Body>;
  post<Body>(path: string, body: object): Promise<Body>;
  patch<Body>(path: string, body: object): Promise<Body>;
  /** Sends a file as it is read. */
  upload<Body>(path: string, file: string, type: string): Promise<Body>;
}

export function apiAt(port: number, key: string): Api {
  async function ask<Body>(path: string, init: RequestInit): Promise<Body> {
    const response = await fetch(`http://127.0.0.1:${port}${path}`, init);
    if (!response.ok) throw new Error(`${init.method} ${path}: ${response.status} ${await response.text()}`);
    return (await response.json()) as Body;
  }
  const headers = (type?: string) => ({ authorization: `Bearer ${key}`, ...(type === undefined ? {} : { "content-type": type }) });
  return {
    get: (path) => ask(path, { method: "GET", headers: headers() }),
    post: (path, body) => ask(path, { method: "POST", headers: headers("application/json"), body: JSON.stringify(body) }),
    patch: (path, body) => ask(path, { method: "PATCH", headers: headers("application/json"), body: JSON.stringify(body) }),
    upload: (path, file, type) => ask(path, { method: "POST", headers: headers(type), body: Bun.file(file) }),
  };
}

/** Reads a whole answer and keeps nothing of it. @param isEnough is asked after each part @returns its length */
export async function bytesOf({ port, key }: { port: number; key: string }, path: string, isEnough = () => false): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${port}${path}`, { headers: { authorization: `Bearer ${key}` } });
  if (!response.ok || response.body === null) throw new Error(`GET ${path}: ${response.status}`);
  let bytes = 0;
  for await (const part of response.body) {
    bytes += part.byteLength;
    if (isEnough()) break;
  }
  return bytes;
}

/** @returns what it comes to, and how long it took */
export async function timed<T>(work: () => Promise<T>): Promise<{ value: T; ms: number }> {
  const startedAt = performance.now();
  const value = await work();
  return { value, ms: performance.now() - startedAt };
}
