/** What is kept of a contact. */
export const columns = [
  "env_id",
  "id",
  "number",
  "external_id",
  "telegram_id",
  "username",
  "email",
  "phone",
  "name",
  "first_name",
  "last_name",
  "sort_name",
  "language",
  "timezone",
  "consent",
  "tags",
  "fields",
  "metadata",
  "last_seen_at",
  "deleted_at",
  "created_at",
  "updated_at",
] as const;

/** What never changes. */
const fixed = ["env_id", "id", "created_at", "number"] as const;

export const changeable = columns.filter((column) => !(fixed as readonly string[]).includes(column)) as Exclude<
  (typeof columns)[number],
  (typeof fixed)[number]
>[];
