import { expect, test } from "bun:test";
import { setup } from "#test/support/app.ts";
test("smoke", async () => {
  await using app = await setup({ engine: "sqlite" } as never);
  const r = await app.sandbox.post("/v1/sequences", { name: "A", steps: [{ type: "send", text: "Hi {{x}}", account_id: 9, next: "no" }, { type: "tag" }, {type:"wait"}] });
  console.log(r.status, r.text);
  const s = await app.sandbox.post("/v1/sequences", { name: "A", steps: [{ type: "send", text: "Hi {x}", account_id: 9 }] });
  console.log(s.status, s.text);
  for (const v of ["check", "activate"]) { const c = await app.sandbox.post(`/v1/sequences/${String((s.body as {id:string}).id)}/${v}`); console.log(c.status, c.text); }
  expect(1).toBe(1);
});
