import { Gauge, type Registry } from "prom-client";

/** Figures of the process itself, read when they are asked for: an idle process does nothing for them. */
export function addProcessGauges(registry: Registry, version: string): void {
  const gauge = (name: string, help: string, read: () => number | Promise<number>) => addGauge(registry, name, help, read);
  gauge("process_resident_memory_bytes", "Memory of the process in bytes.", () => process.memoryUsage.rss());
  gauge("process_uptime_seconds", "Seconds since the process started.", () => process.uptime());
  gauge("posthouse_heap_used_bytes", "Memory in use by JavaScript in bytes.", () => process.memoryUsage().heapUsed);
  gauge("posthouse_event_loop_lag_seconds", "How long something that could run at once had to wait.", lagSeconds);
  new Gauge({
    name: "posthouse_build_info",
    help: "Always 1; the labels tell the versions.",
    labelNames: ["version", "bun"] as const,
    registers: [registry],
  }).set({ version, bun: Bun.version }, 1);
}

/**
 * @param read is called at each scrape; what it throws fails the scrape
 * @throws Error when the name is taken or malformed
 */
export function addGauge(registry: Registry, name: string, help: string, read: () => number | Promise<number>): void {
  const gauge: Gauge = new Gauge({ name, help, registers: [], collect: async () => gauge.set(await read()) });
  registry.registerMetric(gauge);
}

async function lagSeconds(): Promise<number> {
  const asked = performance.now();
  await new Promise((resolve) => setImmediate(resolve));
  return (performance.now() - asked) / 1_000;
}
