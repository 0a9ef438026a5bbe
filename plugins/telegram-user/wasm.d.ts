/** Imported `with { type: "file" }`: where the file is, also within the executable. */
declare module "*.wasm" {
  const path: string;
  export default path;
}
