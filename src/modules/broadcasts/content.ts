import { AppError, type FieldFault, invalidField } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { lackingNames, NOBODY } from "#src/core/variables.ts";
import { contactNames, spokenNames } from "#src/modules/contacts/model.ts";
import type { FieldDefinition } from "#src/modules/fields/model.ts";
import type { Variables } from "#src/modules/templates/model.ts";
import type { Audience, BroadcastMessage, Plan } from "./model.ts";

/** What a broadcast's messages and its audience are looked up in. */
export interface ContentPlaces {
  /** Names that the template needs beside these; undefined where there is no such template. @param known names that contacts tell */
  templateLacks(tx: Tx, env_id: number, id: string, variables: Variables, known: ReadonlySet<string>): Maybe<string[] | undefined>;
  /** The custom fields of contacts. */
  fields(tx: Tx, env_id: number): Maybe<FieldDefinition[]>;
  hasSegment(tx: Tx, env_id: number, id: string): Maybe<boolean>;
  /** @throws AppError `validation_error` on a part of `filter` */
  checkFilter(tx: Tx, env_id: number, filter: Record<string, unknown>): Maybe<void>;
}

export type ContentCheck = ReturnType<typeof createContentCheck>;

/**
 * Refuses an audience that is not here, and messages that could be filled in for nobody, before the first of many is made.
 * @throws AppError `validation_error` with all that is wrong
 */
export function createContentCheck({ templateLacks, fields, hasSegment, checkFilter }: ContentPlaces) {
  async function faultsOf(tx: Tx, env_id: number, message: BroadcastMessage, at: string, keys: readonly string[]): Promise<FieldFault[]> {
    const { text, parse_mode = null, template_id, variables = {} } = message;
    if (template_id === undefined) {
      const names = lackingNames(text ?? "", parse_mode, new Set<string>([...spokenNames, ...keys, NOBODY]));
      return names.length === 0 ? [] : [{ field: `${at}.text`, error: "not_found", received: names.join(", ") }];
    }
    const lacks = await templateLacks(tx, env_id, template_id, variables, new Set([...contactNames, ...keys]));
    if (lacks === undefined) return [{ field: `${at}.template_id`, error: "not_found", received: template_id }];
    return lacks.length === 0 ? [] : [{ field: `${at}.variables`, error: "required", received: lacks.join(", ") }];
  }

  async function checkAudience(tx: Tx, env_id: number, audience: Audience): Promise<void> {
    if ("segment_id" in audience && !(await hasSegment(tx, env_id, audience.segment_id)))
      throw invalidField("audience.segment_id", "not_found", "There is no such segment here.", audience.segment_id);
    if (!("filter" in audience)) return;
    try {
      await checkFilter(tx, env_id, audience.filter);
    } catch (error) {
      if (!(error instanceof AppError) || error.code !== "validation_error") throw error;
      const details = (error.details ?? []).map((detail) => ({ ...detail, field: `audience.${detail.field}` }));
      throw new AppError("validation_error", error.message, { details });
    }
  }

  return async function check(tx: Tx, env_id: number, audience: Audience, { message, ab_test }: Plan): Promise<void> {
    await checkAudience(tx, env_id, audience);
    const keys = (await fields(tx, env_id)).map(({ key }) => key);
    const messages =
      ab_test === null
        ? [{ at: "message", message: message! }]
        : ab_test.variants.map((variant, at) => ({ at: `ab_test.variants.${at}.message`, message: variant.message }));
    const details: FieldFault[] = [];
    for (const one of messages) details.push(...(await faultsOf(tx, env_id, one.message, one.at, keys)));
    if (details.length === 0) return;
    const said =
      "A message names a template that is not here, or a variable that no contact tells: correct it, or write a fallback as in {name|there}.";
    throw new AppError("validation_error", `${details[0]!.field}: ${said}`, { details });
  };
}
