import type { tl } from "@mtcute/core";
import type { Marked, Styled } from "#src/core/marked.ts";
import { readHtml } from "#src/core/markup-html.ts";
import { readMarkdown } from "#src/core/markup-markdown.ts";
import type { ParseMode } from "#src/modules/messages/model.ts";
import { entityOf } from "./style.ts";

/** A text as Telegram takes it: the markup is told apart. https://core.telegram.org/api/entities */
export interface Formatted {
  message: string;
  entities: tl.TypeMessageEntity[];
}

/**
 * Reads a marked-up text as the Bot API does: https://core.telegram.org/bots/api#formatting-options
 * @param mention whom an id means to this account; one that it has not met is not linked, as with the Bot API
 * @throws MarkupFault
 */
export async function format(
  text: string,
  parse_mode: ParseMode | null,
  mention: (user_id: number) => Promise<tl.TypeInputUser | null>,
): Promise<Formatted> {
  if (parse_mode === null) return { message: text, entities: [] };
  const marked = trim(parse_mode === "HTML" ? readHtml(text) : readMarkdown(text));
  const entities: tl.TypeMessageEntity[] = [];
  for (const styled of marked.styled.toSorted((a, b) => a.offset - b.offset || b.length - a.length)) {
    const { offset, length } = styled;
    const entity = entityOf(styled.style);
    const placed =
      entity?._ === "mention"
        ? await mentionOf(styled, entity.user_id, mention)
        : ((entity && { ...entity, offset, length }) as tl.TypeMessageEntity | null);
    if (placed !== null) entities.push(placed);
  }
  return { message: marked.text, entities };
}

async function mentionOf(
  { offset, length }: Styled,
  user_id: number,
  mention: (user_id: number) => Promise<tl.TypeInputUser | null>,
): Promise<tl.TypeMessageEntity | null> {
  const userId = await mention(user_id);
  return userId === null ? null : { _: "inputMessageEntityMentionName", offset, length, userId };
}

/** Telegram cuts white space off both ends, without regard to where entities then are. */
function trim({ text, styled }: Marked): Marked {
  const from = text.length - text.trimStart().length;
  const to = text.trimEnd().length;
  const kept: Styled[] = [];
  for (const one of styled) {
    const offset = Math.max(one.offset, from);
    const length = Math.min(one.offset + one.length, to) - offset;
    if (length > 0) kept.push({ ...one, offset: offset - from, length });
  }
  return { text: text.slice(from, Math.max(from, to)), styled: kept };
}
