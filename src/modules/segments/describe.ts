import { CONDITIONS_MAX, DEPTH_MAX, VALUES_MAX } from "./model.ts";

/** What a filter can say, for the reference. */
export function describeSegments(): string {
  return `Filters of contacts, kept under a name. A segment holds nobody: each list, export or preview evaluates it anew.

A \`filter\` is a tree of \`{"and": [a, b]}\`, \`{"or": [a, b]}\` and \`{"not": a}\`, up to ${DEPTH_MAX} deep, and of up to ${CONDITIONS_MAX} conditions:

| condition | \`op\` |
|---|---|
| \`{"attribute": "email", "op": "is_set"}\`: \`external_id\`, \`username\`, \`email\`, \`phone\`, \`name\`, \`first_name\`, \`last_name\`, \`language\`, \`timezone\` | \`equals\`, \`not_equals\`, \`one_of\`, \`starts_with\`, \`contains\`, \`is_set\`, \`is_not_set\` |
| \`telegram_id\`, a number, and \`consent\`, \`granted\` or \`withdrawn\` | \`equals\`, \`not_equals\`, \`one_of\`, \`is_set\`, \`is_not_set\` |
| \`created_at\`, \`last_seen_at\` | \`after\` (at this time or later), \`before\`, \`within_days\`, \`not_within_days\`, \`is_set\`, \`is_not_set\` |
| \`{"tag": "trial"}\` | |
| \`{"field": "plan", "op": "equals", "value": "starter"}\`: a custom field by its key | \`is_set\`, \`is_not_set\`; of a boolean \`equals\`; of others \`equals\`, \`not_equals\`, \`one_of\`; of a text or url \`starts_with\` and \`contains\` too; of a number or date \`at_least\`, \`more_than\`, \`at_most\`, \`less_than\` and \`between\`, whose \`value\` is the least and the most |
| \`{"activity": "message_sent", "within_days": 7, "at_least": 2}\`: messages to the contact, \`message_queued\`, \`message_sent\`, \`message_delivered\`, \`message_read\`, \`message_failed\`, or from them, \`message_received\` | |

\`one_of\` takes up to ${VALUES_MAX} values. A day is 24 hours, counted back from the moment of evaluation. A message counts by when it was accepted or received, and by its state now: what was read was delivered and sent too. \`within_days\` and \`at_least\` can be left out.

A condition is true or false, never unknown: what is absent equals nothing, so \`not_equals\`, \`not_within_days\` and \`not\` hold for those of whom it is not known. Several choices equal each of their options.

Usernames, emails and phones are compared in the form in which they are kept; \`name\`, and texts in custom fields, without case and accents (of a name the first 100 characters, of a field's text 500); \`external_id\`, \`first_name\`, \`last_name\`, \`language\`, \`timezone\` and tags as they are written.`;
}
