import { type Static, Type } from "@sinclair/typebox";
import { idPattern } from "#src/core/ids.ts";
import type { PageQuery } from "#src/core/page.ts";
import type { Scope } from "#src/core/principal.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";

const time = Type.String({ format: "date-time", examples: ["2026-05-06T14:32:18.000Z"] });

export const taskStatuses = ["queued", "running", "done", "failed", "canceled"] as const;
export type TaskStatus = (typeof taskStatuses)[number];
export type EndStatus = Extract<TaskStatus, "done" | "failed" | "canceled">;

const Progress = Type.Object({
  done: Type.Integer({ description: "Of what there is to do, as many are done." }),
  total: Type.Union([Type.Integer(), Type.Null()], { description: "null while it is not known." }),
});
type Progress = Static<typeof Progress>;

const TaskError = Type.Object({ code: Type.String({ description: "Stable: what a program may branch on." }), message: Type.String() });
export type TaskError = Static<typeof TaskError>;

/** A long job as the API shows it. In the code it is a task: a job is what the job loop runs. */
export const Task = Type.Object(
  {
    id: Type.String({ pattern: idPattern("job") }),
    kind: Type.String({ description: "What it does." }),
    status: Type.Union(taskStatuses.map((status) => Type.Literal(status))),
    progress: Progress,
    result: Type.Union([Type.Object({}, { additionalProperties: true }), Type.Null()], {
      description: "What it has come to, once it has ended; of one that failed or was canceled, what it had come to by then.",
    }),
    error: Type.Union([TaskError, Type.Null()], { description: "Why it failed." }),
    created_at: time,
    finished_at: Type.Union([time, Type.Null()]),
  },
  { $id: "Job" },
);
export type Task = Static<typeof Task>;

/** A page of long jobs, and what it is narrowed by. */
export interface TaskQuery extends PageQuery {
  kind?: string;
  status?: TaskStatus;
}

/** What a module asks for that has long work to do. */
export interface NewTask {
  /** Of a `TaskKind` that the program has. */
  kind: string;
  /** A key sees the job with either of the two, and cancels it with `write`. */
  scopes: { read: Scope; write: Scope };
  /** What the kind needs to know, as JSON. */
  params: object;
  /** How much there is to do; null while that is not known. */
  total: number | null;
}

/** A task between two of its steps. */
export interface RunningTask<Params, State> {
  env_id: number;
  id: string;
  params: Params;
  state: State;
  progress: Progress;
}

/** What a step has brought: the task's new state, and whether that was the last one. */
export type Step<State> = { state: State; progress: Progress } & (
  | { kind: "more" }
  | { kind: "done" }
  | { kind: "failed"; error: TaskError }
);

/**
 * Long work as a sequence of short steps. Each is recorded in the transaction in which it is done, together with the state that
 * the next one begins from: whenever the program ends, it goes on where it was, with nothing done twice and nothing left out.
 */
export interface TaskKind<Params = unknown, State = unknown, Batch = unknown> {
  /** `noun.verb`, what the API calls it. */
  readonly kind: string;
  /** The state before the first step; as JSON, like every one after it. */
  begin(params: Params): State;
  /**
   * Looks up what the next step is about, outside of any transaction: reads, files, the network. May be called again for the same
   * step. Should be done within seconds; the signal says that the program stops.
   */
  prepare(task: RunningTask<Params, State>, signal: AbortSignal): Promise<Batch>;
  /**
   * Does the next step and nothing but `tx`, for at most some 5 ms, since requests wait for it. What was prepared was read a
   * moment ago: what must hold has to be looked at again.
   */
  apply(tx: Tx, task: RunningTask<Params, State>, batch: Batch): Maybe<Step<State>>;
  /** What the task has come to in this state: its `result` once it has ended, in whatever way. */
  result(state: State): object | null;
  /** Called in the transaction in which a task of this kind ends, in whatever way: for what must not outlive it. */
  ended?(tx: Tx, task: RunningTask<Params, State>, status: EndStatus): Maybe<void>;
}
