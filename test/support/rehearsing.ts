import type { AdvanceClock, Deliveries, TestClock } from "#src/modules/clock/model.ts";
import type { Task } from "#src/modules/tasks/model.ts";
import type { TestApp } from "./app.ts";
import type { Caller } from "./client.ts";
import { turn } from "./sending.ts";

/** What a move of a clock has come to. */
export interface Moved {
  from: string;
  to: string;
  steps: number;
  sent: number;
  failed: number;
  deliveries: Deliveries;
  events: Record<string, number>;
}

export const readClock = async (caller: Caller): Promise<TestClock> => (await caller.get<TestClock>("/v1/test/clock")).body;

/** Begins a move. @returns its job @throws Error when it is refused */
export async function beginMove(caller: Caller, ask: AdvanceClock): Promise<string> {
  const { status, body, text } = await caller.post<Task>("/v1/test/clock", ask);
  if (status !== 202) throw new Error(`the move was refused: ${text}`);
  return body.id;
}

/** Lets a move come to its end, while real time goes on by a millisecond each turn. */
export async function endMove(app: TestApp, caller: Caller, id: string): Promise<Task> {
  for (;;) {
    const { body } = await caller.get<Task>(`/v1/jobs/${id}`);
    if (body.finished_at !== null) return body;
    await turn();
    app.clock.advance(1);
  }
}

/** Moves the clock of an environment, to the end. */
export async function move(app: TestApp, caller: Caller, ask: AdvanceClock): Promise<Moved> {
  const task = await endMove(app, caller, await beginMove(caller, ask));
  if (task.status !== "done") throw new Error(`the move ended as ${task.status}`);
  return task.result as unknown as Moved;
}
