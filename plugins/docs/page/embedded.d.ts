/** Files that are imported `with { type: "file" }`: the import is a path, in the executable one inside it. */
declare module "*/start-swagger.js" {
  const path: string;
  export default path;
}
declare module "*/start-redoc.js" {
  const path: string;
  export default path;
}
declare module "*/page.css" {
  const path: string;
  export default path;
}
declare module "swagger-ui-dist/swagger-ui.css" {
  const path: string;
  export default path;
}
declare module "swagger-ui-dist/swagger-ui-bundle.js" {
  const path: string;
  export default path;
}
declare module "redoc/bundles/redoc.standalone.js" {
  const path: string;
  export default path;
}
