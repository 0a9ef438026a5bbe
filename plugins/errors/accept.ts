/**
 * Whether an Accept header would rather have JSON than HTML. Where it likes both alike, what it names wins over what a
 * wildcard covers, and then HTML, which is what a person with a browser sees. RFC 9110, 12.5.1.
 */
export function prefersJson(accept: string | null): boolean {
  const ranges = (accept ?? "").toLowerCase().split(",").map(parseRange);
  const json = liking(ranges, ["application/json", "application/*", "*/*"]);
  const html = liking(ranges, ["text/html", "text/*", "*/*"]);
  return json.quality > html.quality || (json.quality > 0 && json.quality === html.quality && json.depth < html.depth);
}

interface Range {
  type: string;
  quality: number;
}

function parseRange(text: string): Range {
  const [type = "", ...parameters] = text.split(";").map((part) => part.trim());
  const given = parameters.find((parameter) => parameter.startsWith("q="));
  const quality = given === undefined ? 1 : Number(given.slice(2));
  return { type, quality: Number.isFinite(quality) ? quality : 0 };
}

/** How much the most exact of these names is liked; its depth is 0 when the header names the type itself. */
function liking(ranges: readonly Range[], names: readonly string[]): { quality: number; depth: number } {
  for (const [depth, name] of names.entries()) {
    const range = ranges.find(({ type }) => type === name);
    if (range !== undefined) return { quality: range.quality, depth };
  }
  return { quality: 0, depth: names.length };
}
