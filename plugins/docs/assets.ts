import redocScript from "redoc/bundles/redoc.standalone.js" with { type: "file" };
import swaggerScript from "swagger-ui-dist/swagger-ui-bundle.js" with { type: "file" };
import swaggerStyle from "swagger-ui-dist/swagger-ui.css" with { type: "file" };
import pageStyle from "./page/page.css" with { type: "file" };
import redocStart from "./page/start-redoc.js" with { type: "file" };
import swaggerStart from "./page/start-swagger.js" with { type: "file" };

export interface Asset {
  type: string;
  /** Read on each call: keep what it answers. */
  read(): Promise<string>;
}

const script = (file: string): Asset => ({ type: "text/javascript; charset=utf-8", read: () => Bun.file(file).text() });
const style = (file: string): Asset => ({ type: "text/css; charset=utf-8", read: () => Bun.file(file).text() });

/** The one address from which Redoc's bundle would load something by itself. */
const REDOC_LOGO = "https://cdn.redoc.ly/redoc/logo-mini.svg";
const NO_IMAGE = "data:image/svg+xml,%3Csvg xmlns='http://www.w3.org/2000/svg'/%3E";

const redoc: Asset = {
  type: "text/javascript; charset=utf-8",
  read: async () => (await Bun.file(redocScript).text()).replaceAll(REDOC_LOGO, NO_IMAGE),
};

/** What the two pages load, by address. */
export const assets: Readonly<Record<string, Asset>> = {
  "/swagger/library.js": script(swaggerScript),
  "/swagger/library.css": style(swaggerStyle),
  "/swagger/start.js": script(swaggerStart),
  "/redoc/library.js": redoc,
  "/redoc/start.js": script(redocStart),
  "/swagger/page.css": style(pageStyle),
};
