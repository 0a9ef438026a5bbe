import { AppError } from "#src/core/errors.ts";

/** Identities of one request that belong to two people. */
export function severalPeople(found: { id: string; by: string }[]): AppError {
  const told = found.map(({ id, by }) => `${by} is ${id}'s`).join(", ");
  return new AppError("conflict", `These identities belong to different contacts: ${told}. Merge them, or send what belongs to one.`, {
    members: { contact_ids: found.map(({ id }) => id) },
  });
}

/** Whoever deletes a duplicate has not the person in mind. */
export function mergedInto(survivor: string): AppError {
  const told = `This contact was merged into ${survivor}: delete that one, or undo the merge.`;
  return new AppError("conflict", told, { members: { contact_ids: [survivor] } });
}

/** An identity that another contact has. */
export function taken(field: string, id: string): AppError {
  return new AppError("conflict", `Another contact, ${id}, has this ${field}.`, { members: { contact_ids: [id] } });
}
