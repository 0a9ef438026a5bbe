import { AppError } from "#src/core/errors.ts";
import type { Tx } from "#src/core/tx.ts";
import { partsOf } from "#src/core/variables.ts";
import type { Definition, SendStep, Step } from "./model.ts";
import type { SequenceStore } from "./store.ts";

type Filter = Record<string, unknown>;

interface Needs {
  store: Pick<SequenceStore, "runningAlone">;
  /** The conditions of a filter that are about a custom field. */
  conditionsOf(filter: Filter): Filter[];
}

const NAMES_TOLD_MAX = 5;

/** Definitions name custom fields by their keys: what contacts go through must not lose one. */
export function createFieldUse({ store, conditionsOf }: Needs) {
  /** What a step says of a field, such as a value that it sets; empty where it doesn't name it. */
  function saidOf(step: Step, key: string): unknown[] {
    switch (step.type) {
      case "set_field":
        return step.field === key ? [step.value] : [];
      case "wait":
        return "until_field" in step && step.until_field.field === key ? [null] : [];
      case "branch":
        return "filter" in step.if
          ? conditionsOf(step.if.filter)
              .filter(({ field }) => field === key)
              .map(({ value }) => value)
          : [];
      case "send":
        return needsSpoken(step, key) ? [null] : [];
      default:
        return [];
    }
  }

  /**
   * Refuses to take a field's key away, or some of its options, while a sequence that is active or paused names it. Nobody writes or
   * activates one until the transaction ends.
   * @param options those that go; all of the field without them
   * @throws AppError `conflict`, which names the sequences
   */
  return async (tx: Tx, env_id: number, key: string, options?: readonly string[]): Promise<void> => {
    const isGone = (said: unknown) => options === undefined || [said].flat().some((one) => options.includes(one as string));
    const users = new Map<string, string>();
    for (const { id, name, definition } of await store.runningAlone(tx, env_id, key))
      if ((JSON.parse(definition) as Definition).steps.some((step) => saidOf(step, key).some(isGone))) users.set(id, name);
    if (users.size === 0) return;
    const what = options === undefined ? `The field ${key}` : `An option of the field ${key} that would go`;
    throw new AppError("conflict", `${what} is used by ${tellNames([...users.values()])}: change or archive what uses it first.`, {
      members: { sequence_ids: [...users.keys()] },
    });
  };
}

/** Whether a text has the field and nothing to say without it. */
function needsSpoken({ text = "", parse_mode }: SendStep, key: string): boolean {
  return [...partsOf(text, parse_mode ?? null)].some(
    (part) => typeof part !== "string" && part.name === key && part.fallback === undefined,
  );
}

function tellNames(names: readonly string[]): string {
  const told = names.slice(0, NAMES_TOLD_MAX).map((name) => `“${name}”`);
  const more = names.length - told.length;
  return `${names.length === 1 ? "the sequence" : "the sequences"} ${told.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
