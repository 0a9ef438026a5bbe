import { readFileSync } from "node:fs";
import { join } from "node:path";

/** The root of the sources. */
export const root = join(import.meta.dir, "..", "..");

export function readDocument(path: string): string {
  return readFileSync(join(root, path), "utf8");
}

/** A fenced block of a Markdown document. */
export interface Block {
  language: string;
  text: string;
  /** The last heading before it. */
  heading: string;
}

/** The fenced blocks of a document that begin at a line's beginning. */
export function blocksOf(markdown: string): Block[] {
  const blocks: Block[] = [];
  let heading = "";
  const parts = /^#{1,6} (?<heading>.*)$|^```(?<language>\w*)\n(?<text>[\s\S]*?)^```$/gm;
  for (const { groups = {} } of markdown.matchAll(parts)) {
    if (groups["heading"] !== undefined) heading = groups["heading"];
    else blocks.push({ language: groups["language"] ?? "", text: groups["text"] ?? "", heading });
  }
  return blocks;
}

/** The text of a section, from its heading to the next one of the same or a higher level. @throws Error when there is none */
export function sectionOf(markdown: string, heading: string): string {
  const start = markdown.indexOf(`\n${heading}\n`);
  if (start === -1) throw new Error(`there is no section "${heading}"`);
  const level = heading.indexOf(" ");
  const rest = markdown.slice(start + heading.length + 2);
  const end = rest.search(new RegExp(`^#{1,${level}} `, "m"));
  return end === -1 ? rest : rest.slice(0, end);
}

/** The cells of a table's rows, its head left out. */
export function rowsOf(section: string): string[][] {
  const lines = section.split("\n").filter((line) => line.startsWith("|"));
  return lines.slice(2).map((line) =>
    line
      .slice(1, -1)
      .split("|")
      .map((cell) => cell.trim()),
  );
}

/** What README shows under "Send from a program", by heading: each is a whole program. */
export function readmePrograms(): Block[] {
  return blocksOf(sectionOf(readDocument("README.md"), "## Send from a program"));
}

/** The receivers of webhooks that README shows, by heading: each is a whole program. */
export function readmeReceivers(): Block[] {
  return blocksOf(sectionOf(readDocument("README.md"), "### Verify it"));
}
