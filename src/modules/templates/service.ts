import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import type { Markup } from "#src/core/markup.ts";
import { decodeCursor, decodeNumberCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { composeText, previewText, variablesOf } from "./compose.ts";
import { type Parsed, parseBody, TemplateFault } from "./liquid.ts";
import type { NewTemplate, Preview, Template, TemplateFilter, TemplatePatch, TemplateVersion, Variables } from "./model.ts";
import { presentTemplate, presentVersion } from "./present.ts";
import type { TemplateRow, TemplateStore } from "./store.ts";

interface Needs {
  store: TemplateStore;
  clock: Clock;
  /**
   * What is known of a contact, by name; undefined when there is no such contact. Given variables go before.
   * @param tx null reads the last committed snapshot
   */
  contactVariables(tx: Tx | null, env_id: number, contact_id: string | number): Maybe<Record<string, unknown> | undefined>;
}

/** What a template is filled with. */
interface Fill {
  variables?: Variables;
  contact_id?: string | number;
  /** Of the text: values are escaped for it. */
  markup?: Markup | null;
}

/** Bodies that were used last are kept parsed: a batch is often of one template. */
const PARSED_KEPT_MAX = 16;

export type TemplateService = ReturnType<typeof createTemplateService>;

/**
 * Templates of messages. How a body is evaluated, and why no value is ever taken for a part of it, is told by `composeText`.
 */
export function createTemplateService({ store, clock, contactVariables }: Needs) {
  const kept = new Map<string, Parsed>();

  function parse(body: string): Parsed {
    const parsed = kept.get(body) ?? parseBody(body);
    kept.delete(body);
    kept.set(body, parsed);
    if (kept.size > PARSED_KEPT_MAX) kept.delete(kept.keys().next().value!);
    return parsed;
  }

  async function find(tx: Tx, env_id: number, id: string): Promise<TemplateRow> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined) throw notFound("template");
    return row;
  }

  /** @returns what the row keeps of a body @throws AppError `validation_error` on `body` */
  function readBody(body: string): Pick<TemplateRow, "body" | "variables"> {
    return blaming("body", () => ({ body, variables: JSON.stringify(variablesOf(parse(body))) }));
  }

  async function naming(name: string, work: () => Promise<void>): Promise<void> {
    try {
      await work();
    } catch (error) {
      if (store.isDuplicate(error)) throw new AppError("conflict", `There is a template ${name} already.`);
      throw error;
    }
  }

  /** What Liquid may look up. @throws AppError `validation_error` on `contact_id` */
  async function valuesOf(tx: Tx | null, env_id: number, { variables, contact_id }: Fill): Promise<Record<string, unknown>> {
    if (contact_id === undefined) return { ...variables };
    const known = await contactVariables(tx, env_id, contact_id);
    if (known === undefined) throw invalidField("contact_id", "not_found", "There is no such contact here.", contact_id);
    return { ...known, ...variables };
  }

  async function bodyOf({ env_id, id, body, version }: TemplateRow, wanted: number = version): Promise<string> {
    if (wanted === version) return body;
    const row = await store.version(env_id, id, wanted);
    if (row === undefined)
      throw invalidField("version", "not_found", `The template has no version ${wanted}; its newest is ${version}.`, wanted);
    return row.body;
  }

  async function get(env_id: number, id: string): Promise<TemplateRow> {
    const row = await store.get(null, env_id, id);
    if (row === undefined) throw notFound("template");
    return row;
  }

  async function previewBody(env_id: number, body: string, fill: Fill): Promise<Preview> {
    const values = await valuesOf(null, env_id, fill);
    return blaming("body", () => previewText(parse(body), values));
  }

  return {
    /**
     * Makes a template.
     * @throws AppError `validation_error` on a `body` that can't be parsed, which names line and column; `conflict` when the name is taken
     */
    async create(tx: Tx, env_id: number, ask: NewTemplate, actor: string): Promise<Template> {
      const { name, kind = "message", category = null } = ask;
      const now = clock.now(env_id);
      const { body, variables } = readBody(ask.body);
      const row = {
        env_id,
        id: newId("tpl", now, env_id),
        name,
        kind,
        category,
        body,
        variables,
        version: 1,
        created_at: now,
        updated_at: now,
      };
      await naming(name, () => store.insert(tx, row));
      await store.insertVersion(tx, { env_id, template_id: row.id, version: 1, body, actor, created_at: now });
      return presentTemplate(row);
    },

    /** @throws AppError `not_found` */
    get: async (env_id: number, id: string): Promise<Template> => presentTemplate(await get(env_id, id)),

    /** Newest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, filter: TemplateFilter, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Template>> {
      const before = cursor === undefined ? null : decodeCursor("templates", env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, filter, before, offset, limit + 1), store.count(env_id, filter)]);
      return toPage(rows, { list: "templates", env_id, limit, offset }, count, presentTemplate, (row) => row.id);
    },

    /** Every body that a template has had, newest first. @throws AppError `not_found`; `validation_error` for a bad cursor */
    async versions(env_id: number, id: string, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<TemplateVersion>> {
      const { version: total } = await get(env_id, id);
      const list = `versions of ${id}`;
      const before = cursor === undefined ? null : decodeNumberCursor(list, env_id, cursor);
      const rows = await store.versionPage(env_id, id, before, offset, limit + 1);
      return toPage(rows, { list, env_id, limit, offset }, { total, capped: false }, presentVersion, (row) => String(row.version));
    },

    /**
     * Changes what is given. A body that differs is a new version.
     * @throws AppError `not_found`, `validation_error` on `body`, `conflict` when the name is taken; what `check` throws
     */
    async patch(
      tx: Tx,
      env_id: number,
      id: string,
      patch: TemplatePatch,
      actor: string,
      check: Precondition = unconditional,
    ): Promise<Template> {
      const before = await find(tx, env_id, id);
      check(presentTemplate(before));
      const { name = before.name, category = before.category } = patch;
      const row = { ...before, name, category, updated_at: clock.now(env_id) };
      if (patch.body !== undefined && patch.body !== before.body) Object.assign(row, readBody(patch.body), { version: before.version + 1 });
      await naming(name, () => store.update(tx, row));
      const { version, body, updated_at: created_at } = row;
      if (version !== before.version) await store.insertVersion(tx, { env_id, template_id: id, version, body, actor, created_at });
      return presentTemplate(row);
    },

    /** Removes a template and its versions. What was queued from it keeps its text. @throws AppError `not_found`; what `check` throws */
    async remove(tx: Tx, env_id: number, id: string, check: Precondition = unconditional): Promise<void> {
      check(presentTemplate(await find(tx, env_id, id)));
      await store.remove(tx, env_id, id);
    },

    /**
     * Shows what a template comes to.
     * @param version the newest unless given
     * @throws AppError `not_found`; `validation_error` on `version`, or on `body` when it can't be rendered with these values
     */
    async preview(env_id: number, id: string, { version, ...fill }: Fill & { version?: number }): Promise<Preview> {
      return previewBody(env_id, await bodyOf(await get(env_id, id), version), fill);
    },

    /** Shows what a body comes to that is not saved. @throws AppError `validation_error` on `body`, which names line and column */
    previewBody,

    /**
     * Composes a message's text, in the transaction that takes the message. `{identifier}` that is not among the variables stays
     * in it, to be filled in when the message is sent.
     * @throws AppError `not_found`; `validation_error` on `variables` that lack a name which Liquid needs, or on `template_id` when
     * the template can't be rendered with them
     */
    async textFor(tx: Tx, env_id: number, template_id: string, fill: Fill): Promise<string> {
      const row = await store.get(tx, env_id, template_id);
      if (row === undefined) throw notFound("template");
      const values = await valuesOf(tx, env_id, fill);
      const { text, missing } = blaming("template_id", () =>
        composeText(parse(row.body), { values, own: fill.variables ?? {}, markup: fill.markup ?? null }, false),
      );
      const [first] = missing;
      if (first === undefined) return text;
      throw invalidField("variables", "required", `The template needs the variable ${first}, for which it has no default.`);
    },

    /**
     * Names that a template needs beside these variables and what is known of everybody; undefined where there is no such template.
     * What stands in a condition is looked for both with nothing known of the contact and with everything.
     * @param known names that a contact can tell
     */
    async lacking(
      tx: Tx,
      env_id: number,
      template_id: string,
      variables: Variables,
      known: ReadonlySet<string>,
    ): Promise<string[] | undefined> {
      const row = await store.get(tx, env_id, template_id);
      if (row === undefined) return undefined;
      const everything = Object.fromEntries([...known].map((name) => [name, "1"]));
      const missing = [{}, everything].flatMap((contact) => missingFrom(row.body, { ...contact, ...variables }));
      return [...new Set(missing)].filter((name) => !known.has(name.split(".", 1)[0]!)).toSorted();
    },
  };

  /** None where the values are not what the body makes something of: a contact's own may be. */
  function missingFrom(body: string, values: Record<string, unknown>): string[] {
    try {
      return previewText(parse(body), values).missing;
    } catch (error) {
      if (!(error instanceof TemplateFault)) throw error;
      return [];
    }
  }
}

/** @throws AppError `validation_error` on `field` for what is wrong with a body */
function blaming<T>(field: string, work: () => T): T {
  try {
    return work();
  } catch (error) {
    if (!(error instanceof TemplateFault)) throw error;
    throw invalidField(field, "bad_format", `The template does not work: ${error.message}.`);
  }
}
