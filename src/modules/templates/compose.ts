import type { Markup } from "#src/core/markup.ts";
import { createTextWriter, fillVariables, partsOf } from "#src/core/variables.ts";
import { UNRESOLVED_TEXT_MAX } from "#src/modules/messages/model.ts";
import { namesIn, type Parsed, renderBody, TemplateFault, textOf } from "./liquid.ts";
import { VARIABLES_MAX } from "./model.ts";

type Values = Readonly<Record<string, unknown>>;

/** What a body is filled with. */
export interface Filling {
  /** For Liquid. */
  values: Values;
  /** For `{identifier}`; one that isn't here is left to whoever sends the text. */
  own: Values;
  /** Of the body: values are escaped for it. */
  markup?: Markup | null;
}

/**
 * Composes the text of a message, with what is left of `{variables}` in it.
 *
 * In this order: the body is taken apart once, into Liquid's `{{ … }}` and `{% … %}` and the characters between. Liquid decides
 * which of the characters are there and gives values. Only then, and only in the body's own characters, `{identifier|fallback}`
 * is looked for. A value is never looked into: its braces are escaped, and so are those of the body that belong to no variable,
 * so that the two can't make a variable together.
 * @param gather true goes on without the names that have no value
 * @returns the text, and Liquid's names without a value: unless it gathers only the first, and then the text is not whole
 * @throws TemplateFault
 */
export function composeText(parsed: Parsed, { values, own, markup = null }: Filling, gather: boolean): { text: string; missing: string[] } {
  const writer = createTextWriter(markup);
  const bounded = () => {
    if (writer.text.length > UNRESOLVED_TEXT_MAX) throw new TemplateFault(`it comes to more than ${UNRESOLVED_TEXT_MAX} characters`, null);
  };
  const sink = {
    value(text: string) {
      writer.addPlain(text);
      bounded();
    },
    literal(text: string) {
      for (const part of partsOf(text)) {
        const plain = typeof part === "string" ? null : ownValue(own, part.name);
        if (typeof part === "string") writer.addBody(part);
        else if (plain !== null) writer.addPlain(plain);
        else writer.addVariable(part.written);
      }
      bounded();
    },
  };
  const missing = renderBody(parsed, values, sink, gather);
  return { text: writer.text, missing };
}

/** @returns null where nothing is known */
function ownValue(own: Values, name: string): string | null {
  const value = Object.hasOwn(own, name) ? own[name] : null;
  return value === null || value === undefined ? null : textOf(value);
}

/**
 * The text as it would be sent, as far as it can be told: fallbacks stand in for what is not known of the recipient.
 * @returns it, and the names in both syntaxes that have neither a value nor a fallback
 * @throws TemplateFault
 */
export function previewText(parsed: Parsed, values: Values): { text: string; missing: string[] } {
  const used = new Set(variablesOf(parsed));
  const composed = composeText(parsed, { values, own: values }, true);
  // What the body itself assigns from a missing name is missing because of that name.
  const missing = new Set(composed.missing.filter((name) => used.has(name) || used.has(name.split(".", 1)[0]!)));
  const text = fillVariables(
    composed.text,
    () => undefined,
    (name) => missing.add(name),
  );
  return { text, missing: [...missing] };
}

/**
 * The names that a body uses, in both syntaxes, in order of the alphabet.
 * @throws TemplateFault when there are more than a message can give
 */
export function variablesOf(parsed: Parsed): string[] {
  const { names, texts } = namesIn(parsed);
  const used = new Set(names);
  for (const text of texts) for (const part of partsOf(text)) if (typeof part !== "string") used.add(part.name);
  if (used.size > VARIABLES_MAX) throw new TemplateFault(`it uses ${used.size} variables; there can be ${VARIABLES_MAX}`, null);
  return [...used].toSorted();
}
