const answer = await fetch("/openapi.json");
const spec = await answer.json();
const font = "system-ui, sans-serif";
const mono = "ui-monospace, monospace";
window.Redoc.init(
  spec,
  {
    hideLoading: true,
    nativeScrollbars: true,
    theme: { typography: { fontFamily: font, headings: { fontFamily: font }, code: { fontFamily: mono } } },
  },
  document.querySelector("#reference"),
);
