import { Elysia } from "elysia";
import { expect, test } from "bun:test";
import { createMetrics, type Metrics } from "#plugins/metrics/plugin.ts";

async function scrape(metrics: Metrics): Promise<string[]> {
  const answer = await new Elysia().use(metrics.plugin).handle(new Request("http://localhost/metrics"));
  expect(answer.status).toBe(200);
  expect(answer.headers.get("content-type")).toStartWith("text/plain; version=0.0.4");
  return (await answer.text()).split("\n");
}

test("a request is counted under its operation and status, in the buckets that its time reaches", async () => {
  const metrics = createMetrics({ version: "1.2.3" });
  metrics.requests.observe("messages.send", 200, 0.002);
  metrics.requests.observe("messages.send", 200, 3);
  metrics.requests.observe("messages.send", 422, 0.002);
  metrics.requests.observe(undefined, 404, 0.002);
  const lines = await scrape(metrics);
  const name = "posthouse_http_request_duration_seconds";
  expect(lines).toContain(`${name}_bucket{le="0.0025",operation="messages.send",status="200"} 1`);
  expect(lines).toContain(`${name}_bucket{le="5",operation="messages.send",status="200"} 2`);
  expect(lines).toContain(`${name}_sum{operation="messages.send",status="200"} 3.002`);
  expect(lines).toContain(`${name}_count{operation="messages.send",status="422"} 1`);
  expect(lines).toContain(`${name}_count{operation="unmatched",status="404"} 1`);
});

test("a commit is counted with its size and its time", async () => {
  const metrics = createMetrics({ version: "1.2.3" });
  metrics.commits.observe(30, 0.004);
  const lines = await scrape(metrics);
  expect(lines).toContain('posthouse_commit_writes_bucket{le="16"} 0');
  expect(lines).toContain('posthouse_commit_writes_bucket{le="32"} 1');
  expect(lines).toContain("posthouse_commit_duration_seconds_sum 0.004");
});

test("a job is counted by kind and outcome", async () => {
  const metrics = createMetrics({ version: "1.2.3" });
  metrics.jobs.count("message.send", "done");
  metrics.jobs.count("message.send", "done");
  metrics.jobs.count("message.send", "retry");
  const lines = await scrape(metrics);
  expect(lines).toContain('posthouse_jobs_total{kind="message.send",outcome="done"} 2');
  expect(lines).toContain('posthouse_jobs_total{kind="message.send",outcome="retry"} 1');
});

test("a gauge is read anew at each scrape, also when the answer takes time", async () => {
  const metrics = createMetrics({ version: "1.2.3" });
  let depth = 0;
  metrics.gauge("posthouse_queue_jobs", "Jobs that wait.", () => ++depth);
  metrics.gauge("posthouse_lanes_held", "Lanes that wait.", () => Promise.resolve(7));
  expect(await scrape(metrics)).toContain("posthouse_queue_jobs 1");
  const again = await scrape(metrics);
  expect(again).toContain("posthouse_queue_jobs 2");
  expect(again).toContain("posthouse_lanes_held 7");
  expect(() => metrics.gauge("posthouse_queue_jobs", "Again.", () => 0)).toThrow("already been registered");
});

test("the process tells its memory, its age and its versions", async () => {
  const lines = await scrape(createMetrics({ version: "1.2.3" }));
  const figure = (name: string) => Number(lines.find((line) => line.startsWith(`${name} `))?.split(" ")[1]);
  expect(figure("process_resident_memory_bytes")).toBeGreaterThan(1_000_000);
  expect(figure("posthouse_heap_used_bytes")).toBeGreaterThan(100_000);
  expect(figure("process_uptime_seconds")).toBeGreaterThan(0);
  expect(figure("posthouse_event_loop_lag_seconds")).toBeGreaterThanOrEqual(0);
  expect(lines).toContain(`posthouse_build_info{version="1.2.3",bun="${Bun.version}"} 1`);
});

test("two of them in one process do not mix", async () => {
  const [one, other] = [createMetrics({ version: "1.2.3" }), createMetrics({ version: "1.2.3" })];
  one.jobs.count("message.send", "done");
  expect((await scrape(other)).some((line) => line.startsWith("posthouse_jobs_total{"))).toBe(false);
});
