const POLICY = "default-src 'none'; script-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";

interface Page {
  html: (title: string) => string;
  /** Content-Security-Policy: scripts and requests only to this server. */
  policy: string;
}

export const swaggerPage: Page = {
  html: (title) => html(title, "/swagger", ["/swagger/page.css", "/swagger/library.css"]),
  policy: `${POLICY}; style-src 'self'; img-src data:`,
};

/** Redoc writes its styles into the page as it renders, and searches in a worker that it makes from its own text. */
export const redocPage: Page = {
  html: (title) => html(title, "/redoc", ["/swagger/page.css"]),
  policy: `${POLICY}; style-src 'self' 'unsafe-inline'; img-src data:; worker-src blob:`,
};

function html(title: string, folder: string, styles: string[]): string {
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>${Bun.escapeHTML(title)}</title>
<link rel="icon" href="data:,">
${styles.map((href) => `<link rel="stylesheet" href="${href}">`).join("\n")}
</head>
<body>
<div id="reference"></div>
<noscript><p>This page needs JavaScript. The reference itself is at <a href="/openapi.json">/openapi.json</a>.</p></noscript>
<script defer src="${folder}/library.js"></script>
<script type="module" src="${folder}/start.js"></script>
</body>
</html>
`;
}
