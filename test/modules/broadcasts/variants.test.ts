import { expect, test } from "bun:test";
import { variantOf } from "#src/modules/broadcasts/variants.ts";

test("a sample is as large as was asked for, and is shared by weight; who is in it is fixed", () => {
  const message = { text: "Hi" };
  const variants = [
    { name: "a", weight: 1, message },
    { name: "b", weight: 3, message },
  ];
  const of = (at: number) => variantOf({ ab_test: { variants, sample_percent: 40 } }, "bc_1", `ct_${at}`);
  const all = Array.from({ length: 10_000 }, (_, at) => of(at));
  const share = (name: string | null) => all.filter((variant) => variant === name).length / all.length;
  expect(share(null)).toBeWithin(0.58, 0.62);
  expect(share("a")).toBeWithin(0.09, 0.11);
  expect(share("b")).toBeWithin(0.28, 0.32);
  expect(all.slice(0, 100)).toEqual(Array.from({ length: 100 }, (_, at) => of(at)));
});
