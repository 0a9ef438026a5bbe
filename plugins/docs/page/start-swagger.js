// The page calls the server that it came from, whatever address the document names.
const answer = await fetch("/openapi.json");
const spec = await answer.json();
window.SwaggerUIBundle({
  spec: { ...spec, servers: [{ url: location.origin }] },
  domNode: document.querySelector("#reference"),
  deepLinking: true,
  docExpansion: "list",
  filter: true,
  validatorUrl: null,
});
