/** A receiver of webhooks in a process of its own: it reads each and answers 200. Prints its port; `GET /count` tells how many came. */
let count = 0;
const server = Bun.serve({
  port: 0,
  hostname: "127.0.0.1",
  async fetch(request) {
    if (request.method === "GET") return new Response(String(count));
    await request.arrayBuffer();
    count++;
    return new Response("ok");
  },
});
process.stdout.write(`${JSON.stringify({ port: server.port })}\n`);
