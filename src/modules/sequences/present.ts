import { toTime } from "#src/core/clock.ts";
import type { Definition, Sequence, SequenceNews, SequenceStatus, SequenceVersion } from "./model.ts";
import type { DefinedRow, SequenceRow, SequenceVersionRow } from "./store.ts";

export function presentSequence(row: DefinedRow): Sequence {
  return {
    id: row.id,
    name: row.name,
    status: row.status as SequenceStatus,
    version: row.version,
    ...(JSON.parse(row.definition) as Definition),
    metadata: JSON.parse(row.metadata) as Sequence["metadata"],
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}

export function presentVersion({ version, definition, created_at, actor }: SequenceVersionRow): SequenceVersion {
  return { version, ...(JSON.parse(definition) as Definition), created_at: toTime(created_at), actor };
}

/** As events name it. */
export function briefOf({ id, name, status, version }: SequenceRow): SequenceNews["sequence"] {
  return { id, name, status: status as SequenceStatus, version };
}

/** As the audit has it: what the definition was, its versions tell, and texts are nothing for the audit. */
export function auditedOf(row: SequenceRow): object {
  return { ...briefOf(row), metadata: JSON.parse(row.metadata) as object };
}
