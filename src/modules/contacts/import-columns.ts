import { AppError, type FieldFault, invalidField } from "#src/core/errors.ts";

/** What a column or a member can become, beside the custom fields. */
const targets = [
  "external_id",
  "telegram_id",
  "username",
  "email",
  "phone",
  "name",
  "first_name",
  "last_name",
  "language",
  "timezone",
  "consent_status",
  "consent_at",
  "consent_source",
  "tags",
  "metadata",
  "fields",
] as const;
const known: ReadonlySet<string> = new Set(targets);
/** What an export has and nobody can set: people who are made get their own. */
export const unset: ReadonlySet<string> = new Set(["id", "number", "last_seen_at", "created_at", "updated_at"]);
const FIELDS = "fields.";
const NEAR_MAX = 3;
const SHOWN_MAX = 60;

/** What names are taken for: a member, `fields.key`, or null for what is left out. */
export type Mapping = Readonly<Record<string, string | null>>;

/**
 * What each column of a file is.
 * @param keys of the custom fields
 * @throws AppError `validation_error` for a column that is nothing, two that are the same, or a mapping that can't be
 */
export function readColumns(header: readonly string[], mapping: Mapping, keys: ReadonlySet<string>): (string | null)[] {
  checkMapping(mapping, keys);
  const missing = Object.keys(mapping).find((column) => !header.some((name) => name.trim() === column.trim()));
  if (missing !== undefined) throw invalidField("mapping", "not_found", `The file has no column ${shown(missing)}.`);
  const faults: { fault: FieldFault; message: string }[] = [];
  const taken = new Map<string, string>();
  const columns = header.map((name) => {
    const target = targetOf(name.trim(), mapping, keys);
    if (target === undefined) faults.push({ fault: { field: shown(name), error: "unknown_field" }, message: explain(name, keys) });
    else if (target !== null) {
      const other = taken.get(target);
      if (other !== undefined) {
        const message = `The columns ${shown(other)} and ${shown(name)} are both ${target}: leave one out with {${JSON.stringify(name)}:null} in the mapping.`;
        faults.push({ fault: { field: shown(name), error: "taken" }, message });
      }
      taken.set(target, name);
    }
    return target ?? null;
  });
  const [first] = faults;
  if (first !== undefined) throw new AppError("validation_error", first.message, { details: faults.map(({ fault }) => fault) });
  if (taken.size === 0) throw invalidField("body", "bad_format", "No column of the file's first line is a member of contacts.");
  return columns;
}

/** @throws AppError `validation_error` for what is mapped to nothing that there is */
export function checkMapping(mapping: Mapping, keys: ReadonlySet<string>): void {
  for (const [name, target] of Object.entries(mapping)) {
    if (target === null || known.has(target) || (target.startsWith(FIELDS) && keys.has(target.slice(FIELDS.length)))) continue;
    const message = `${shown(name)} is mapped to ${shown(target)}, which is neither a member nor a custom field of contacts.${near(target, keys)}`;
    throw invalidField("mapping", "unknown_field", message);
  }
}

function targetOf(name: string, mapping: Mapping, keys: ReadonlySet<string>): string | null | undefined {
  if (Object.hasOwn(mapping, name)) return mapping[name]!;
  if (name === "") return null;
  const plain = plainOf(name);
  if (known.has(plain)) return plain;
  if (unset.has(plain)) return null;
  const key = plain.startsWith(FIELDS) ? plain.slice(FIELDS.length) : plain;
  return keys.has(key) ? FIELDS + key : undefined;
}

/** As people write it in the first line of a table: `First Name`, `E-Mail`. */
function plainOf(name: string): string {
  const plain = name
    .trim()
    .toLowerCase()
    .replace(/[\s-]+/g, "_");
  return plain === "e_mail" ? "email" : plain;
}

function explain(name: string, keys: ReadonlySet<string>): string {
  const left = `{${JSON.stringify(shown(name))}:null}`;
  return `The column ${shown(name)} is neither a member nor a custom field of contacts.${near(plainOf(name), keys)} Make the field, say what the column is in the mapping, or leave it out with ${left} there.`;
}

function near(name: string, keys: ReadonlySet<string>): string {
  const most = Math.max(2, Math.floor(name.length / 3));
  const close = [...targets, ...keys]
    .map((one) => ({ one, far: one.length > 3 && name.includes(one) ? 1 : distance(name, one) }))
    .filter(({ far }) => far <= most)
    .toSorted((a, b) => a.far - b.far)
    .slice(0, NEAR_MAX);
  return close.length === 0 ? "" : ` Is it ${close.map(({ one }) => one).join(" or ")}?`;
}

/** Letters to put in, take out or change: https://en.wikipedia.org/wiki/Levenshtein_distance */
function distance(a: string, b: string): number {
  let row = Array.from({ length: b.length + 1 }, (_, at) => at);
  for (let i = 1; i <= Math.min(a.length, SHOWN_MAX); i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) next.push(Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (a[i - 1] === b[j - 1] ? 0 : 1)));
    row = next;
  }
  return row[b.length]!;
}

function shown(name: string): string {
  return name.length > SHOWN_MAX ? `${name.slice(0, SHOWN_MAX)}…` : name;
}
