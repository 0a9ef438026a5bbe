import { toTime } from "#src/core/clock.ts";
import type { Template, TemplateKind, TemplateVersion } from "./model.ts";
import type { TemplateRow, TemplateVersionRow } from "./store.ts";

export function presentTemplate(row: TemplateRow): Template {
  return {
    id: row.id,
    name: row.name,
    kind: row.kind as TemplateKind,
    category: row.category,
    body: row.body,
    variables: JSON.parse(row.variables) as string[],
    version: row.version,
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}

export function presentVersion({ version, body, created_at, actor }: TemplateVersionRow): TemplateVersion {
  return { version, body, created_at: toTime(created_at), actor };
}
