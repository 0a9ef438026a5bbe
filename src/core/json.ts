/** JSON with the members of every object in order of their names: equal values have equal texts. */
export function canonicalJson(value: unknown): string {
  if (typeof value !== "object" || value === null) return JSON.stringify(value) ?? "null";
  if (Array.isArray(value)) return `[${value.map(canonicalJson).join(",")}]`;
  const members = value as Record<string, unknown>;
  return `{${Object.keys(members)
    .toSorted()
    .map((name) => `${JSON.stringify(name)}:${canonicalJson(members[name])}`)
    .join(",")}}`;
}

/** The path of the first text with a NUL or half a surrogate pair, which no database keeps; undefined when all is well. */
export function findBadText(value: unknown): string | undefined {
  const rest: [string, unknown][] = [["", value]];
  for (let next = rest.pop(); next !== undefined; next = rest.pop()) {
    const [path, part] = next;
    if (typeof part === "string") {
      if (part.includes("\0") || !part.isWellFormed()) return path;
    } else if (typeof part === "object" && part !== null) {
      for (const [name, member] of Object.entries(part)) {
        if (name.includes("\0") || !name.isWellFormed()) return path;
        rest.push([path === "" ? name : `${path}.${name}`, member]);
      }
    }
  }
  return undefined;
}
