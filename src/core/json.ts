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

/** Whether objects and lists lie in one another more than `most` deep, in a text that is well-formed JSON. */
export function isNestedDeeper(json: string, most: number): boolean {
  let depth = 0;
  for (let at = 0; at < json.length; at++) {
    const char = json[at];
    if (char === '"') at = endOfText(json, at);
    else if (char === "[" || char === "{") {
      if (++depth > most) return true;
    } else if (char === "]" || char === "}") depth--;
  }
  return false;
}

/** @returns where the quote stands that closes the one at `start` */
function endOfText(json: string, start: number): number {
  let at = json.indexOf('"', start + 1);
  while (at !== -1 && isEscaped(json, at)) at = json.indexOf('"', at + 1);
  return at === -1 ? json.length : at;
}

function isEscaped(json: string, at: number): boolean {
  let slashes = 0;
  while (json[at - 1 - slashes] === "\\") slashes++;
  return slashes % 2 === 1;
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
