import { Elysia } from "elysia";
import { Counter, Histogram, Registry } from "prom-client";
import { operation } from "#src/core/operation.ts";
import { addGauge, addProcessGauges } from "./process-gauges.ts";

export interface Metrics {
  requests: {
    /** @param operation `messages.send`; undefined where no route matched */
    observe(operation: string | undefined, status: number, seconds: number): void;
  };
  commits: {
    /** @param size writes that shared the transaction @param seconds from its begin to its being on disk */
    observe(size: number, seconds: number): void;
  };
  jobs: {
    /** @param kind `message.send` @param outcome `done`, `snooze`, `retry`, `discard` */
    count(kind: string, outcome: string): void;
  };
  attempts: {
    /** An attempt at a delivery. @param stage where it failed; null of a success */
    observe(stage: string | null, seconds: number): void;
  };
  /**
   * A figure that is read at each scrape.
   * @param name begins with `posthouse_` and ends in its unit
   * @throws Error when the name is taken or malformed
   */
  gauge(name: string, help: string, read: () => number | Promise<number>): void;
  /** `GET /metrics` in Prometheus' text format, open to all who reach the port. */
  plugin: ReturnType<typeof metricsRoute>;
}

const SECONDS = [0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];
const SIZES = [1, 2, 4, 8, 16, 32, 64, 128, 256, 512];

/** The figures of one process, in a registry of their own: two apps in one process do not mix. */
export function createMetrics({ version }: { version: string }): Metrics {
  const registry = new Registry();
  const registers = [registry];
  const requests = new Histogram({
    name: "posthouse_http_request_duration_seconds",
    help: "Time from a request's arrival to its answer, by operation and status.",
    labelNames: ["operation", "status"] as const,
    buckets: SECONDS,
    registers,
  });
  const sizes = new Histogram({ name: "posthouse_commit_writes", help: "Writes that shared a transaction.", buckets: SIZES, registers });
  const commits = new Histogram({
    name: "posthouse_commit_duration_seconds",
    help: "Time from a transaction's begin to its being on disk.",
    buckets: SECONDS,
    registers,
  });
  const jobs = new Counter({
    name: "posthouse_jobs_total",
    help: "Jobs that were run, by kind and outcome.",
    labelNames: ["kind", "outcome"] as const,
    registers,
  });
  const attempts = new Histogram({
    name: "posthouse_webhook_attempt_duration_seconds",
    help: "Time of attempts at deliveries, by the stage at which they failed; `none` of those that did not.",
    labelNames: ["stage"] as const,
    buckets: SECONDS,
    registers,
  });
  addProcessGauges(registry, version);

  const requestsOf = children((operation, status) => requests.labels(operation, status));
  const attemptsOf = children((stage) => attempts.labels(stage));
  const jobsOf = children((kind, outcome) => jobs.labels(kind, outcome));
  return {
    requests: { observe: (operation = "unmatched", status, seconds) => requestsOf(operation, String(status)).observe(seconds) },
    commits: {
      observe(size, seconds) {
        sizes.observe(size);
        commits.observe(seconds);
      },
    },
    attempts: { observe: (stage, seconds) => attemptsOf(stage ?? "none", "").observe(seconds) },
    jobs: { count: (kind, outcome) => jobsOf(kind, outcome).inc() },
    gauge: (name, help, read) => addGauge(registry, name, help, read),
    plugin: metricsRoute(registry),
  };
}

/** Keeps what was made for a pair of labels: making it checks and copies them. */
function children<Child>(make: (first: string, second: string) => Child): (first: string, second: string) => Child {
  const kept = new Map<string, Map<string, Child>>();
  return (first, second) => {
    let row = kept.get(first);
    if (row === undefined) kept.set(first, (row = new Map<string, Child>()));
    let child = row.get(second);
    if (child === undefined) row.set(second, (child = make(first, second)));
    return child;
  };
}

function metricsRoute(registry: Registry) {
  const headers = { "content-type": registry.contentType };
  return new Elysia({ name: "metrics" }).get("/metrics", async () => new Response(await registry.metrics(), { headers }), {
    detail: operation({
      id: "metrics",
      summary: "Figures for Prometheus",
      description: "Requests, commits, jobs and the process, in Prometheus' text format.",
      tag: "Service",
      scope: null,
      answers: {
        200: {
          description: "The figures.",
          type: "text/plain",
          schema: { type: "string" },
          example: 'posthouse_jobs_total{kind="message.send",outcome="done"} 42\n',
        },
      },
    }),
  });
}
