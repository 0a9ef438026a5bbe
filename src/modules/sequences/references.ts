import { lackingNames, NOBODY } from "#src/core/variables.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { contactNames, spokenNames } from "#src/modules/contacts/model.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";
import type { Variables } from "#src/modules/templates/model.ts";
import { type AccountStanding, senderReferences } from "./accounts.ts";
import { caught, caughtAtOnce, type Fault, faultAt } from "./faults.ts";
import type { Condition, SendStep, SequenceStatus, Step, WaitStep } from "./model.ts";

/** What sequences look up of others. */
export interface Places {
  /** Names that the template needs beside these; undefined where there is no such template. @param known names that contacts tell */
  templateLacks(tx: Tx, env_id: number, id: string, variables: Variables, known: ReadonlySet<string>): Maybe<string[] | undefined>;
  hasSegment(tx: Tx, env_id: number, id: string): Maybe<boolean>;
  /** @throws AppError `validation_error` on a part of `filter` */
  checkFilter(tx: Tx, env_id: number, filter: Record<string, unknown>): Maybe<void>;
  /** The custom fields of contacts. */
  fields(tx: Tx, env_id: number): Maybe<FieldDefinition[]>;
  /** @throws AppError `validation_error` on `name` */
  readValue(name: string, field: FieldDefinition, value: unknown): unknown;
  /** Undefined where it was removed, or never was. */
  account(tx: Tx, env_id: number, id: number): Maybe<AccountStanding | undefined>;
  /** Keeps a file from being removed as unused. @returns false where there is none */
  keepFile(tx: Tx, env_id: number, id: string): Maybe<boolean>;
  /** A file is kept for sequences no longer. */
  releaseFile(tx: Tx, env_id: number, id: string): Maybe<void>;
  sequenceStatus(tx: Tx, env_id: number, id: string): Maybe<SequenceStatus | undefined>;
}

/** Tells what a definition names that is not here, or can't do what it is for. */
export function createReferences(places: Places) {
  async function faultsOf(tx: Tx, env_id: number, step: Step, at: string, fields: ReadonlyMap<string, FieldDefinition>): Promise<Fault[]> {
    switch (step.type) {
      case "send":
        return [
          ...(await templateFaults(tx, env_id, step, at, new Set([...contactNames, ...fields.keys()]))),
          ...textFaults(step, at, new Set<string>([...spokenNames, ...fields.keys(), NOBODY])),
          ...(await fileFaults(tx, env_id, step, at)),
          ...(await senderReferences(step, at, (id) => places.account(tx, env_id, id))),
        ];
      case "wait":
        return dateFaults(step, at, fields);
      case "branch":
        return conditionFaults(tx, env_id, step.if, `${at}.if`);
      case "set_field":
        return valueFaults(step, at, fields);
      case "enroll": {
        const status = await places.sequenceStatus(tx, env_id, step.sequence_id);
        if (status !== undefined && status !== "archived") return [];
        return [faultAt(`${at}.sequence_id`, "not_found", "There is no such sequence, or it is archived: name another.", step.sequence_id)];
      }
      default:
        return [];
    }
  }

  async function templateFaults(tx: Tx, env_id: number, step: SendStep, at: string, known: ReadonlySet<string>): Promise<Fault[]> {
    const { template_id, variables = {} } = step;
    if (template_id === undefined) return [];
    const lacks = await places.templateLacks(tx, env_id, template_id, variables, known);
    if (lacks === undefined) return [faultAt(`${at}.template_id`, "not_found", "There is no such template: name another.", template_id)];
    if (lacks.length === 0) return [];
    const names = lacks.join(", ");
    return [
      faultAt(
        `${at}.variables`,
        "required",
        `The template needs ${names}, which no contact tells: give it in variables, or the template a default.`,
      ),
    ];
  }

  async function fileFaults(tx: Tx, env_id: number, { attachments = [] }: SendStep, at: string): Promise<Fault[]> {
    const faults: Fault[] = [];
    for (const [index, { file_id }] of attachments.entries())
      if (file_id !== undefined && !(await places.keepFile(tx, env_id, file_id)))
        faults.push(
          faultAt(`${at}.attachments.${index}.file_id`, "not_found", "There is no such file: upload it, and give its id.", file_id),
        );
    return faults;
  }

  async function conditionFaults(tx: Tx, env_id: number, condition: Condition, at: string): Promise<Fault[]> {
    if ("filter" in condition) return caught(at, () => places.checkFilter(tx, env_id, condition.filter));
    if (!("segment" in condition) || (await places.hasSegment(tx, env_id, condition.segment))) return [];
    return [faultAt(`${at}.segment`, "not_found", "There is no such segment: name another.", condition.segment)];
  }

  function valueFaults(step: Extract<Step, { type: "set_field" }>, at: string, fields: ReadonlyMap<string, FieldDefinition>): Fault[] {
    const field = fields.get(step.field);
    if (field === undefined) return [noField(`${at}.field`, step.field)];
    return caughtAtOnce(at, () => places.readValue("value", field, step.value));
  }

  return {
    /** Files that no sequence names any more are kept for sequences no longer. */
    async letGo(tx: Tx, env_id: number, file_ids: Iterable<string>): Promise<void> {
      for (const id of file_ids) await places.releaseFile(tx, env_id, id);
    },

    /**
     * All that these steps name that is not here. Files that they name are kept from now on.
     * @returns the faults, with fields such as `steps.0.template_id`
     */
    async check(tx: Tx, env_id: number, steps: readonly Step[]): Promise<Fault[]> {
      const fields = new Map((await places.fields(tx, env_id)).map((field) => [field.key, field]));
      const faults: Fault[] = [];
      for (const [at, step] of steps.entries()) faults.push(...(await faultsOf(tx, env_id, step, `steps.${at}`, fields)));
      return faults;
    },
  };
}

export type References = ReturnType<typeof createReferences>;

/** Names without a fallback that nobody's contact has. */
function textFaults({ text, parse_mode }: SendStep, at: string, known: ReadonlySet<string>): Fault[] {
  if (text === undefined) return [];
  const names = lackingNames(text, parse_mode ?? null, known);
  if (names.length === 0) return [];
  const told = names.join(", ");
  return [
    faultAt(
      `${at}.text`,
      "not_found",
      `The text has ${told}, which no contact tells: correct the name, or write a fallback as in {name|there}.`,
    ),
  ];
}

function dateFaults(step: WaitStep, at: string, fields: ReadonlyMap<string, FieldDefinition>): Fault[] {
  if (!("until_field" in step) || step.until_field.field === "created_at") return [];
  const path = `${at}.until_field.field`;
  const field = fields.get(step.until_field.field);
  if (field === undefined) return [noField(path, step.until_field.field)];
  return field.type === "date" ? [] : [faultAt(path, "not_allowed", `The field is a ${field.type}: name one of type date.`, field.key)];
}

function noField(path: string, key: string): Fault {
  return faultAt(path, "not_found", "There is no custom field with this key: name another, or make it.", key);
}
