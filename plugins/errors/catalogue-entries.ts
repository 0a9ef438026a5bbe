import { fieldErrors, problems } from "#src/core/errors.ts";
import { outcomes } from "#src/core/outcomes.ts";

/** What a code means in one of the places where it can stand. */
export interface Entry {
  kind: "problem" | "field_error" | "outcome";
  code: string;
  /** HTTP status of a problem; null for the others. */
  status: number | null;
  title: string;
  /** What to do about a problem; null where the title says it. */
  fix: string | null;
}

export interface Catalogue {
  problems: Entry[];
  field_errors: Entry[];
  outcomes: Entry[];
}

const plain = (kind: Entry["kind"], texts: Readonly<Record<string, string>>): Entry[] =>
  Object.entries(texts).map(([code, title]) => ({ kind, code, status: null, title, fix: null }));

/** Every stable code there is. */
export const entries: Catalogue = {
  problems: Object.entries(problems).map(([code, { status, title, fix }]) => ({ kind: "problem", code, status, title, fix })),
  field_errors: plain("field_error", fieldErrors),
  outcomes: plain("outcome", outcomes),
};

/** A code can mean something in several places: `not_found` is a problem, and a field's fault too. */
export function meaningsOf(code: string): Entry[] {
  return Object.values(entries).flatMap((group: Entry[]) => group.filter((entry) => entry.code === code));
}
