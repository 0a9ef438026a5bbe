import { tidyText } from "#src/core/search-text.ts";
import { checkLimits } from "./limits.ts";
import type { Definition, NewDefinition, Step } from "./model.ts";
import { endlessLoops, sameIds, strayTargets, unreachable } from "./graph.ts";
import { type Fault } from "./faults.ts";
import { type ContentForm, stepFaults } from "./step-faults.ts";
import { readSteps, type Refusal } from "./step-form.ts";

/** What a definition is read with. */
export interface Forms {
  refusal: Refusal;
  content: ContentForm;
}

/**
 * Reads a definition as a client writes it, without looking anything up.
 * @returns it with nothing left to defaults, and all that is wrong with its form; null where a step is not one at all
 */
export function readDefinition(given: NewDefinition, { refusal, content }: Forms): { definition: Definition | null; faults: Fault[] } {
  const read = readSteps(given.steps, refusal);
  const nodes = read.map(({ node }) => node);
  const isWhole = read.every(({ step }) => step !== null);
  const doubles = sameIds(nodes);
  const faults = [
    ...read.flatMap(({ faults, step }, at) => (step === null ? faults : stepFaults(step, at, content))),
    ...doubles,
    ...strayTargets(nodes),
    // Where a step leads that is none, nobody can say, nor which of two steps is meant.
    ...(isWhole && doubles.length === 0 ? [...unreachable(nodes), ...endlessLoops(nodes)] : []),
    ...checkLimits(given),
  ];
  const steps = read.flatMap(({ step }) => (step === null ? [] : [tidied(step)]));
  return { definition: isWhole ? { ...limitsOf(given), steps } : null, faults };
}

/** What is not given is said as well. */
function limitsOf({
  timezone = null,
  window = null,
  holidays = [],
  frequency_cap = null,
  exit_on,
  reentry = { rule: "never" },
  triggers = [],
}: NewDefinition) {
  const { reply = true, tags = [], blocked = true } = exit_on ?? {};
  return {
    ...{ timezone, window, holidays: holidays.toSorted(), frequency_cap, reentry },
    exit_on: { reply, tags: tags.map(tidyText), blocked },
    triggers: triggers.map(tidiedTag),
  };
}

/** With its tags as contacts have them. */
function tidied(step: Step): Step {
  if (step.type === "tag" || step.type === "untag") return tidiedTag(step);
  return "for_event" in step ? { ...step, for_event: tidiedTag(step.for_event) } : step;
}

function tidiedTag<T extends { tag?: string }>(one: T): T {
  return one.tag === undefined ? one : { ...one, tag: tidyText(one.tag) };
}
