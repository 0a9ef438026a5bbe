import type { CallMatch } from "./model.ts";

/** Whether a call is one of those that are meant. */
export function matches(match: CallMatch, call: Required<CallMatch>): boolean {
  return (
    (match.token ?? call.token) === call.token &&
    (match.method?.toLowerCase() ?? call.method) === call.method &&
    (match.chat_id ?? call.chat_id) === call.chat_id
  );
}
