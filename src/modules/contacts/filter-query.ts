import { t } from "elysia";
import { TAG_LENGTH_MAX } from "./model.ts";

const timeOptions = (description: string) => ({ format: "date-time", description }) as const;

/** The parameters by which contacts are narrowed, wherever several are read. */
export const filterQuery = {
  search: t.Optional(
    t.String({
      minLength: 1,
      maxLength: 200,
      description: "Words, or beginnings of words, of name, username, email or phone. Case and accents do not matter.",
    }),
  ),
  tag: t.Optional(t.String({ minLength: 1, maxLength: TAG_LENGTH_MAX, description: "Who has this tag." })),
  created_after: t.Optional(t.String(timeOptions("Made at this time or later."))),
  created_before: t.Optional(t.String(timeOptions("Made before this time."))),
  seen_after: t.Optional(t.String(timeOptions("Last seen at this time or later."))),
  seen_before: t.Optional(t.String(timeOptions("Last seen before this time."))),
};

/** What was given: an absent parameter is no member. */
export function defined<Values extends object>(values: Values) {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as {
    [Name in keyof Values]: Exclude<Values[Name], undefined>;
  };
}
