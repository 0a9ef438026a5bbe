import {
  Context,
  type Emitter,
  type FilterImplOptions,
  filters as allFilters,
  Liquid,
  LiquidError,
  RawTag,
  Tag,
  type TagToken,
  type Template,
  TokenKind,
  type TopLevelToken,
  toValue,
  toValueSync,
  UndefinedVariableError,
} from "liquidjs";
import { BODY_MAX } from "./model.ts";

/** What a body may use. There are no loops, so that rendering takes time in proportion to the body. */
const TAGS: ReadonlySet<string> = new Set(["#", "assign", "case", "comment", "if", "raw", "unless"]);
const FILTERS: ReadonlySet<string> = new Set([
  ...["abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "round", "times"],
  ...["append", "capitalize", "downcase", "lstrip", "prepend", "remove", "remove_first", "remove_last", "replace", "replace_first"],
  ...["replace_last", "rstrip", "slice", "squish", "strip", "truncate", "truncatewords", "upcase", "url_encode"],
  ...["date", "default", "first", "join", "last", "size", "split"],
]);
/** Tags and outputs of a body. */
const EXPRESSIONS_MAX = 200;
/** A last resort, since the server waits while a body is rendered: what else is bounded here keeps it to a few milliseconds. */
const RENDER_MS_MAX = 1_000;
/** Characters and items that the filters of one rendering may make. */
const MEMORY_MAX = 100_000;

/** Where a rendering goes. */
export interface Sink {
  /** Characters of the body itself, in which `{variables}` may stand. */
  literal(text: string): void;
  /** What an expression came to: nothing but itself. */
  value(text: string): void;
}

export interface Parsed {
  templates: Template[];
}

/** What is wrong with a body, in words for whoever wrote it. */
export class TemplateFault extends Error {
  /** @param place line and column, from 1 on; null where it is about the body as a whole */
  constructor(reason: string, place: readonly [line: number, column: number] | null) {
    super(place === null ? reason : `${reason} (line ${place[0]}, column ${place[1]})`);
    this.name = "TemplateFault";
  }
}

/** Goes through Liquid's own code unchanged, and tells a value from the body's own characters at its end. */
class Value {
  constructor(readonly text: string) {}
}

/** What stands in a raw block is shown as it stands, `{braces}` included. */
class Raw extends Tag {
  readonly #text: string;

  constructor(token: TagToken, rest: TopLevelToken[], liquid: Liquid) {
    super(token, rest, liquid);
    this.#text = new RawTag(token, rest, liquid).render();
  }

  override render(_context: Context, emitter: Emitter): void {
    emitter.write(new Value(showBraces(this.#text)));
  }
}

type Filter = Exclude<FilterImplOptions, { handler: unknown }>;

/** A message leaves later than it is composed: what "now" means is not for a template to say. */
const dateWithoutNow: Filter = function (value: unknown, ...args: unknown[]) {
  return value === "now" || value === "today" ? value : (allFilters["date"] as Filter).call(this, value, ...args);
};

const liquid = createLiquid();
/** The first name without a value ends a rendering, or all of them are gathered. In a condition such a name is no error: it is false. */
const ending = { ...liquid.options, lenientIf: true };
const gathering = { ...ending, catchAllErrors: true };

function createLiquid(): Liquid {
  const sandbox = new Liquid({
    // Instead of a file system: nothing.
    templates: {},
    strictFilters: true,
    strictVariables: true,
    ownPropertyOnly: true,
    parseLimit: BODY_MAX,
    renderLimit: RENDER_MS_MAX,
    memoryLimit: MEMORY_MAX,
    locale: "en-US",
    timezoneOffset: 0,
    // Whatever it gives is what the emitter gets.
    outputEscape: (value: unknown) => new Value(textOf(value)) as unknown as string,
  });
  for (const name of Object.keys(sandbox.tags)) if (!TAGS.has(name)) delete sandbox.tags[name];
  for (const name of Object.keys(sandbox.filters)) if (!FILTERS.has(name)) sandbox.unregisterFilter(name);
  sandbox.registerTag("raw", Raw);
  sandbox.registerFilter("date", dateWithoutNow);
  return sandbox;
}

/** A place to look names up in that has none but those that were given. */
class Names extends Context {
  // Liquid looks here last, and would find the size of nothing.
  override readProperty(scope: object, name: string | number): unknown {
    return scope === this.globals ? undefined : super.readProperty(scope, name);
  }
}

/** @throws TemplateFault that names line and column */
export function parseBody(body: string): Parsed {
  const hidden = hideBraces(body);
  const expressions = hidden.match(/\{[{%]/g)?.length ?? 0;
  if (expressions > EXPRESSIONS_MAX)
    throw new TemplateFault(`it has ${expressions} tags and outputs of Liquid; there can be ${EXPRESSIONS_MAX}`, null);
  try {
    return { templates: liquid.parse(hidden) };
  } catch (error) {
    throw faultOf(error);
  }
}

/** The names that Liquid looks up in a body, and the body's own texts, in which others may stand. */
export function namesIn({ templates }: Parsed): { names: string[]; texts: string[] } {
  const { globals } = liquid.analyzeSync(templates, { partials: false });
  const names = Object.values(globals).map(([first]) => String(first!.segments[0]));
  return { names, texts: [...textsOf(templates)] };
}

function* textsOf(templates: readonly Template[]): Generator<string> {
  for (const template of templates) {
    if (template.token.kind === TokenKind.HTML) yield showBraces(template.token.getText());
    if (template.children !== undefined) yield* textsOf(toValueSync<Template[]>(template.children(false, true)));
  }
}

/**
 * Renders a body into `sink`.
 * @param gather true goes on after a name without a value, so as to find all of them
 * @returns the names that have no value, in order; when there are any and it doesn't gather, only the first
 * @throws TemplateFault, and what the sink throws
 */
export function renderBody({ templates }: Parsed, values: Readonly<Record<string, unknown>>, sink: Sink, gather: boolean): string[] {
  const scope = Object.assign(Object.create(null) as object, values);
  const context = new Names(scope, gather ? gathering : ending, { sync: true }, { liquid });
  const missing = new Set<string>();
  try {
    toValueSync(liquid.renderer.renderTemplates(templates, context, emitterTo(sink)));
  } catch (error) {
    for (const one of eachOf(error)) missing.add(missingName(one));
  }
  return [...missing];
}

function emitterTo(sink: Sink): Emitter {
  return {
    buffer: "",
    write(part: unknown) {
      if (part instanceof Value) sink.value(part.text);
      else sink.literal(showBraces(String(part)));
    },
  };
}

/** As Liquid writes values, but for what no database keeps. */
export function textOf(value: unknown): string {
  const plain: unknown = toValue(value);
  if (plain === null || plain === undefined) return "";
  if (Array.isArray(plain)) return plain.map(textOf).join("");
  if (typeof plain === "number" || typeof plain === "boolean") return String(plain);
  return showBraces(typeof plain === "string" ? plain : JSON.stringify(plain)).toWellFormed();
}

function eachOf(error: unknown): unknown[] {
  return error instanceof LiquidError && "errors" in error ? (error.errors as unknown[]).flatMap(eachOf) : [error];
}

function missingName(error: unknown): string {
  if (error instanceof UndefinedVariableError) return (error.originalError as unknown as { variableName: string }).variableName;
  throw faultOf(error);
}

function faultOf(error: unknown): Error {
  if (!(error instanceof LiquidError)) return new TemplateFault(error instanceof Error ? error.message : "it can't be rendered", null);
  // Liquid wraps what the sink throws.
  const cause = error.originalError ?? error;
  if (cause instanceof TemplateFault) return cause;
  const [line = 1, column = 1] = error.token.getPosition();
  return new TemplateFault(showBraces(cause.message.replace(/, line:\d+, col:\d+$/, "")), [line, column]);
}

/** `\{` is a brace and begins nothing of Liquid's. No body holds a NUL, and places stay where they are. */
function hideBraces(body: string): string {
  return body.replaceAll("\\{", "\\\0");
}

function showBraces(text: string): string {
  return text.replaceAll("\0", "{");
}
