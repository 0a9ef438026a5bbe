import { AppError, type FieldFault, invalidField } from "#src/core/errors.ts";
import { checkText } from "./compose.ts";
import { checkAttachment, readButtons } from "./enclosures.ts";
import type { SendMessage } from "./model.ts";

/** The content of a message that is made later, from a step or for many. */
export type LaterContent = Pick<SendMessage, "text" | "template_id" | "variables" | "parse_mode" | "attachments" | "buttons">;

/**
 * All that a send would refuse of such a content, as far as it can be told with nothing looked up: markup, length, buttons,
 * attachments. Each with what to do about it; none repeats a text.
 */
export function contentFaults(content: LaterContent): (FieldFault & { message: string })[] {
  const { text, template_id, variables, attachments = [], buttons } = content;
  return [
    ...caught(() => {
      if (text !== undefined && template_id !== undefined)
        throw invalidField("template_id", "not_allowed", "Give either text or template_id, not both.");
      if (text === undefined && template_id === undefined && attachments.length === 0)
        throw invalidField("text", "required", "Give either text or template_id.");
    }),
    ...caught(() => {
      if (variables !== undefined && template_id === undefined)
        throw invalidField("variables", "not_allowed", "variables are a template's: give them with template_id.");
    }),
    ...(text === undefined ? [] : caught(() => checkText(text, "text", content))),
    ...attachments.flatMap((attachment, at) => caught(() => checkAttachment(`attachments.${at}`, attachment))),
    ...(buttons === undefined ? [] : caught(() => readButtons(buttons, attachments.length))),
  ];
}

function caught(check: () => unknown): (FieldFault & { message: string })[] {
  try {
    check();
    return [];
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return (error.details ?? []).map((detail) => ({ ...detail, message: error.message }));
  }
}
