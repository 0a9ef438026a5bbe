/** Posts one body again and again by plain `fetch`, so many at a time, and keeps nothing. Prints the rate. */
export interface WebhookFloorPlan {
  url: string;
  posts: number;
  connections: number;
  body: string;
  headers: Record<string, string>;
}

const { url, posts, connections, body, headers } = JSON.parse(process.argv[2]!) as WebhookFloorPlan;
let left = posts;

async function post(): Promise<void> {
  while (left-- > 0) {
    const response = await fetch(url, { method: "POST", body, headers });
    await response.arrayBuffer();
  }
}

const at = performance.now();
await Promise.all(Array.from({ length: connections }, post));
process.stdout.write(JSON.stringify({ rate: (posts / (performance.now() - at)) * 1000 }));
