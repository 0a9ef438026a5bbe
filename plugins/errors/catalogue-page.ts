import css from "./catalogue.css" with { type: "text" };
import { entries, type Entry } from "./catalogue-entries.ts";

const styleHash = new Bun.CryptoHasher("sha256").update(css).digest("base64");

/** Nothing runs and nothing is loaded; the one style is named by its hash. */
export const pagePolicy = `default-src 'none'; style-src 'sha256-${styleHash}'; img-src data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'`;

const groups = [
  { heading: "Problems", about: "<code>code</code> of an answer from 400 up.", list: entries.problems },
  { heading: "Refused fields", about: "<code>details[].error</code> of a <code>validation_error</code>.", list: entries.field_errors },
  { heading: "Failed messages", about: "<code>error.code</code> of a message that was not delivered.", list: entries.outcomes },
];

const places: Record<Entry["kind"], string> = {
  problem: "As the code of an answer",
  field_error: "As the error of a field",
  outcome: "As the error of a message",
};

/** The whole catalogue. */
export function cataloguePage(): string {
  const sections = groups.map(
    ({ heading, about, list }) => `<section>\n<h2>${heading}</h2>\n<p>${about}</p>\n${list.map(article).join("\n")}\n</section>`,
  );
  return page("Error codes", `<h1>Error codes</h1>\n<p>They are stable: a program may branch on them.</p>\n${sections.join("\n")}`);
}

/** One code with everything that it can mean. */
export function codePage(code: string, meanings: readonly Entry[]): string {
  const parts = meanings.map((entry) => `<h2>${places[entry.kind]}</h2>\n${explanation(entry)}`);
  return page(code, `<p><a href="/errors">All error codes</a></p>\n<h1><code>${Bun.escapeHTML(code)}</code></h1>\n${parts.join("\n")}`);
}

function article(entry: Entry): string {
  const code = Bun.escapeHTML(entry.code);
  return `<article>\n<p><a href="/errors/${code}"><code>${code}</code></a></p>\n${explanation(entry)}\n</article>`;
}

function explanation({ status, title, fix }: Entry): string {
  const first = status === null ? Bun.escapeHTML(title) : `<span class="status">${status}</span> ${Bun.escapeHTML(title)}.`;
  return fix === null ? `<p>${first}</p>` : `<p>${first}</p>\n<p>${Bun.escapeHTML(fix)}</p>`;
}

function page(title: string, body: string): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${Bun.escapeHTML(title)} · Posthouse</title>
<link rel="icon" href="data:,">
<style>${css}</style>
</head>
<body>
<main>
${body}
</main>
</body>
</html>
`;
}
