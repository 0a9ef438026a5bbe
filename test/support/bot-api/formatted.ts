import { badRequest } from "./failure.ts";
import type { Entity } from "./model.ts";
import type { Params } from "./params.ts";

/** A text as it came and as it is shown. */
export interface Formatted {
  raw: string;
  parse_mode: string | null;
  text: string;
  entities: Entity[];
}

const PARSE_MODES = new Set(["html", "markdown", "markdownv2"]);

/** @throws BotApiFailure 400 when the markup is wrong, in Telegram's words */
export function formattedOf(params: Params, names: { text: string; entities: string }): Formatted {
  const raw = params.text(names.text) ?? "";
  const parse_mode = params.text("parse_mode") ?? null;
  if (parse_mode !== null && !PARSE_MODES.has(parse_mode.toLowerCase())) throw badRequest("unsupported parse_mode");
  return { raw, parse_mode, text: raw, entities: (params.list(names.entities) ?? []) as Entity[] };
}
