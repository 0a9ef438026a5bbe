import type { Socket } from "bun";
import { type LoadPlan, sendRequest } from "./load.ts";

/** A process that sends at a fixed rate, whatever the answers do: what a slow answer delays counts as late from its own time. */
export interface SteadyPlan extends Pick<LoadPlan, "port" | "key" | "connections" | "warmUpSeconds" | "seconds"> {
  /** Sends a second. */
  rate: number;
}

export interface SteadyResult {
  /** Milliseconds from the time that a send was planned for to its answer. */
  p50: number;
  p99: number;
  refused: number;
}

interface Connection {
  plannedAt: number;
  refused: boolean;
  answering: boolean;
}

async function load(plan: SteadyPlan): Promise<SteadyResult> {
  const idle: Socket<Connection>[] = [];
  const late: number[] = [];
  const latencies: number[] = [];
  let refused = 0;
  let sent = 0;
  const startsAt = performance.now();
  const countsFrom = startsAt + plan.warmUpSeconds * 1000;

  function receive(socket: Socket<Connection>, chunk: Buffer): void {
    const connection = socket.data;
    if (!connection.answering) connection.refused = chunk.toString("latin1", 9, 12) !== "200";
    connection.answering = chunk.at(-1) !== "}".charCodeAt(0);
    if (connection.answering) return;
    if (connection.refused) refused++;
    if (connection.plannedAt >= countsFrom) latencies.push(performance.now() - connection.plannedAt);
    const plannedAt = late.shift();
    if (plannedAt === undefined) idle.push(socket);
    else send(socket, plannedAt);
  }

  function send(socket: Socket<Connection>, plannedAt: number): void {
    socket.data.plannedAt = plannedAt;
    const number = ++sent;
    socket.write(sendRequest(plan, `@reader_${number % 1000}`, `steady-${process.pid}-${number}`));
  }

  for (let number = 0; number < plan.connections; number++) {
    const data = { plannedAt: 0, refused: false, answering: false };
    idle.push(await Bun.connect<Connection>({ hostname: "127.0.0.1", port: plan.port, data, socket: { data: receive } }));
  }
  const planned = plan.rate * (plan.warmUpSeconds + plan.seconds);
  await new Promise<void>((resolve) => {
    let next = 0;
    const tick = () => {
      for (; next < planned && startsAt + (next * 1000) / plan.rate <= performance.now(); next++) {
        const plannedAt = startsAt + (next * 1000) / plan.rate;
        const socket = idle.pop();
        if (socket === undefined) late.push(plannedAt);
        else send(socket, plannedAt);
      }
      if (next < planned) setTimeout(tick, 1);
      else setTimeout(resolve, 1000);
    };
    tick();
  });
  const ordered = latencies.toSorted((a, b) => a - b);
  const at = (share: number) => ordered[Math.min(ordered.length - 1, Math.floor(ordered.length * share))]!;
  return { p50: at(0.5), p99: at(0.99), refused };
}

process.stdout.write(JSON.stringify(await load(JSON.parse(process.argv[2]!) as SteadyPlan)));
process.exit(0);
