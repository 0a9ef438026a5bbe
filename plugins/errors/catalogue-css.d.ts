/** Imported `with { type: "text" }`. */
declare module "*/catalogue.css" {
  const text: string;
  export default text;
}
