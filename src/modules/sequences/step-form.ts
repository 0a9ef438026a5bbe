import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import type { TSchema } from "@sinclair/typebox";
import { type AppError, fieldErrors } from "#src/core/errors.ts";
import { durationMs, parseDuration } from "#src/core/duration.ts";
import type { Node } from "./graph.ts";
import { type Fault, faultAt } from "./faults.ts";
import { type NewStep, newSteps, type Step } from "./steps.ts";

/** Makes an error of what the validator found. */
export type Refusal = (faults: Iterable<object>, on: string) => AppError;

/** What is to be said of a step that was read. */
export interface ReadStep {
  /** Null where it isn't one of any kind, or not a whole one. */
  step: Step | null;
  node: Node;
  faults: Fault[];
}

const WAIT_MS_MIN = 60_000;

type Kind = keyof typeof newSteps;
const kinds = Object.keys(newSteps) as Kind[];
const checks = new Map<Kind, TypeCheck<TSchema>>(kinds.map((kind) => [kind, TypeCompiler.Compile(newSteps[kind] as TSchema)]));

/** Steps that share a type are told apart by the member that only one of them has. */
const waits = { for: "wait_for", until: "wait_until", until_field: "wait_until_field", for_event: "wait_for_event" } as const;
const types: readonly string[] = ["wait", ...kinds.filter((kind) => !kind.startsWith("wait_"))];

const idForm = /^[a-z0-9_]{1,40}$/;

/**
 * Reads the steps of a definition, each by itself: ids and targets that are left out come from the order.
 * @param refusal words what a schema found
 */
export function readSteps(given: readonly unknown[], refusal: Refusal): ReadStep[] {
  const ids = given.map((one, at) => idOf(one) ?? `step_${at + 1}`);
  return given.map((one, at) => readStep(one, at, { id: ids[at]!, following: ids[at + 1] ?? null, refusal }));
}

interface Place {
  id: string;
  /** The step behind it in the list. */
  following: string | null;
  refusal: Refusal;
}

function readStep(given: unknown, at: number, place: Place): ReadStep {
  const kind = kindOf(given, `steps.${at}`);
  const nothing = { step: null, node: { id: place.id, targets: [], waits: true } };
  if (typeof kind !== "string") return { ...nothing, faults: [kind] };
  const check = checks.get(kind)!;
  if (!check.Check(given)) return { ...nothing, faults: formFaults(check.Errors(given), `steps.${at}`, place.refusal) };
  const step = complete(given as NewStep, place);
  return { step, node: { id: step.id, targets: targetsOf(step, at), waits: isWait(step) }, faults: [] };
}

/** @returns the fault where it is of no kind */
function kindOf(given: unknown, at: string): Kind | Fault {
  if (typeof given !== "object" || given === null || Array.isArray(given)) return faultAt(at, "wrong_type", "A step is an object.");
  const { type } = given as { type?: unknown };
  if (type === undefined) return faultAt(`${at}.type`, "required", `A step has a type: ${types.join(", ")}.`);
  if (typeof type !== "string" || !types.includes(type))
    return faultAt(`${at}.type`, "not_allowed", `There is no such type of a step: it is one of ${types.join(", ")}.`);
  if (type !== "wait") return type as Kind;
  const named = (Object.keys(waits) as (keyof typeof waits)[]).filter((name) => Object.hasOwn(given, name));
  const [name] = named;
  if (name !== undefined && named.length === 1) return waits[name];
  return faultAt(at, name === undefined ? "required" : "not_allowed", `A wait has exactly one of ${Object.keys(waits).join(", ")}.`);
}

/** Values under these names are texts of people, or made for them. */
const unspoken = /\.(text|variables|value|data|reason|buttons|attachments|filter)(\.|$)/;

function formFaults(found: Iterable<object>, at: string, refusal: Refusal): Fault[] {
  return (refusal(found, "").details ?? []).map(({ field, error, received }) => {
    const path = field === "" ? at : `${at}.${field}`;
    return faultAt(path, error, fieldErrors[error], unspoken.test(path) ? undefined : received);
  });
}

function idOf(given: unknown): string | null {
  const { id } = (given ?? {}) as { id?: unknown };
  return typeof id === "string" && idForm.test(id) ? id : null;
}

/** The step with all that its order says of it. */
function complete(given: NewStep, { id, following }: Place): Step {
  if (given.type === "exit") return { id, ...given };
  if (given.type === "split") return { id, ...given };
  if (given.type === "branch") return { id, ...given, then: onward(given.then, following), else: onward(given.else, following) };
  const next = onward(given.next, following);
  if ("for_event" in given) return { id, ...given, next, on_timeout: onward(given.on_timeout, next) };
  return { id, ...given, next };
}

const onward = (given: string | null | undefined, usual: string | null) => (given === undefined ? usual : given);

function targetsOf(step: Step, at: number): Node["targets"] {
  const here = `steps.${at}`;
  switch (step.type) {
    case "exit":
      return [];
    case "split":
      return step.parts.map(({ next }, part) => ({ at: `${here}.parts.${part}.next`, to: next }));
    case "branch":
      return [
        { at: `${here}.then`, to: step.then },
        { at: `${here}.else`, to: step.else },
      ];
    default: {
      const onTimeout = "on_timeout" in step ? [{ at: `${here}.on_timeout`, to: step.on_timeout }] : [];
      return [{ at: `${here}.next`, to: step.next }, ...onTimeout];
    }
  }
}

/** True where whoever passes has waited a minute or more; a date can be past. */
function isWait(step: Step): boolean {
  if (step.type !== "wait") return false;
  if ("for" in step) return isMinute(step.for);
  return "until" in step || "for_event" in step;
}

/** @param duration that has the form of one */
export function isMinute(duration: string): boolean {
  return durationMs(parseDuration(duration)!) >= WAIT_MS_MIN;
}
