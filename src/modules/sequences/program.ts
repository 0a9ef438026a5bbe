import type { Tx } from "#src/core/tx.ts";
import type { EnrollmentStore } from "./enrolled-sql.ts";
import type { Definition, Step } from "./model.ts";

/** A version of a sequence, ready to be followed. */
export interface Program extends Omit<Definition, "steps"> {
  first: string;
  step(id: string): Step | undefined;
}

/** Versions that were used last are kept read: thousands are often in the same one. */
const KEPT_MAX = 64;

/** Reads versions. What is kept never goes stale, since no version ever changes. */
export function createPrograms(store: Pick<EnrollmentStore, "definition">) {
  const kept = new Map<string, Program>();
  /** @throws Error for a version that is not there */
  return async (tx: Tx, env_id: number, sequence_id: string, version: number): Promise<Program> => {
    const key = `${env_id} ${sequence_id} ${version}`;
    const json = kept.has(key) ? undefined : await store.definition(tx, env_id, sequence_id, version);
    const program = kept.get(key) ?? read(json, key);
    kept.delete(key);
    kept.set(key, program);
    if (kept.size > KEPT_MAX) kept.delete(kept.keys().next().value!);
    return program;
  };
}

export type Programs = ReturnType<typeof createPrograms>;

function read(json: string | undefined, key: string): Program {
  if (json === undefined) throw new Error(`there is no version ${key} of a sequence`);
  const { steps, ...definition } = JSON.parse(json) as Definition;
  const byId = new Map(steps.map((step) => [step.id, step]));
  return { ...definition, first: steps[0]!.id, step: (id) => byId.get(id) };
}
