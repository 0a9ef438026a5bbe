import { fillVariables } from "#src/core/variables.ts";
import { type Fault, faultAt } from "./faults.ts";
import { tagFaults, taggedFaults } from "./limits.ts";
import type { SendStep, Step } from "./model.ts";
import { isMinute } from "./step-form.ts";

/** The content of a message. */
type Content = Pick<SendStep, "text" | "template_id" | "variables" | "parse_mode" | "attachments" | "buttons">;

/** The rules of messages. @returns what of a content Telegram or messages would refuse, its fields as the content has them */
export type ContentForm = (content: Content) => Fault[];

/** What is wrong with a step that its schema doesn't tell. @param at of the list */
export function stepFaults(step: Step, at: number, content: ContentForm): Fault[] {
  const here = `steps.${at}`;
  switch (step.type) {
    case "send":
      return [...senderFaults(step, here), ...contentFaults(step, here, content)];
    case "wait":
      return "for_event" in step ? awaitFaults(step, here) : [];
    case "tag":
    case "untag":
      return tagFaults(`${here}.tag`, step.tag);
    case "score":
      return step.points === 0
        ? [faultAt(`${here}.points`, "not_allowed", "No points change nothing: give some, or take some away.", 0)]
        : [];
    default:
      return [];
  }
}

function senderFaults({ account_id, account_ids, channels }: SendStep, here: string): Fault[] {
  const faults: Fault[] = [];
  if (account_id === undefined && account_ids === undefined)
    faults.push(faultAt(`${here}.account_id`, "required", "Say who sends: give account_id, or account_ids for a pool."));
  if (account_id !== undefined && account_ids !== undefined)
    faults.push(faultAt(`${here}.account_ids`, "not_allowed", "Give either account_id or account_ids, not both."));
  if (channels !== undefined && account_ids === undefined)
    faults.push(faultAt(`${here}.channels`, "not_allowed", "channels puts the accounts of a pool in order: it goes with account_ids."));
  return faults;
}

function contentFaults(step: SendStep, here: string, content: ContentForm): Fault[] {
  const { text, template_id, variables, parse_mode, attachments, buttons } = step;
  const given = Object.entries({ text, template_id, variables, parse_mode, attachments, buttons }).filter(
    ([, value]) => value !== undefined,
  );
  const found = content(Object.fromEntries(given) as Content);
  const faults = found.map((fault) => ({ ...fault, field: `${here}.${fault.field}` }));
  if (text !== undefined && hasMalformed(text, parse_mode))
    faults.push(
      faultAt(`${here}.text`, "bad_format", "A variable is written {first_name} or {first_name|there}, and a brace that begins none \\{."),
    );
  return faults;
}

/** A brace, what is no variable, and a brace: most likely one that is misspelled, or Liquid, which templates alone have. */
function hasMalformed(text: string, parse_mode: SendStep["parse_mode"]): boolean {
  // In MarkdownV2 any brace has a backslash, which its own rules see to.
  if (parse_mode === "MarkdownV2") return false;
  const blank = () => "";
  return /\{[^{}]*\}/.test(fillVariables(text.replaceAll("\\{", ""), blank, blank));
}

function awaitFaults({ for_event, timeout }: Extract<Step, { for_event: unknown }>, here: string): Fault[] {
  const faults = taggedFaults(for_event, `${here}.for_event`);
  if (!isMinute(timeout)) faults.push(faultAt(`${here}.timeout`, "too_small", "The timeout is a minute or more, such as 7d.", timeout));
  return faults;
}
