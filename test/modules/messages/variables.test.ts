import { describe, expect, test } from "bun:test";
import { setup } from "#test/support/app.ts";
import { queue, read } from "#test/support/sending.ts";

async function sent(text: string, to: string | number = "@sarah_miller") {
  await using app = await setup();
  const id = await queue(app.sandbox, { text, to });
  await app.settled();
  return await read(app.sandbox, id);
}

describe("variables of a text", () => {
  test("are filled from the recipient's profile when it is sent", async () => {
    expect(await sent("{first_name} {last_name} = {name}, @{username}")).toMatchObject({
      status: "sent",
      text: "Sarah Miller = Sarah Miller, @sarah_miller",
    });
  });

  test("fall back to what stands behind the bar, which can be empty", async () => {
    expect(await sent("Hey {first_name|there}, {city|}!", 123456)).toMatchObject({ status: "sent", text: "Hey there, !" });
    expect(await sent("Hey {first_name|there}!")).toMatchObject({ text: "Hey Sarah!" });
  });

  test("that have neither a value nor a fallback fail the message, which keeps its text", async () => {
    expect(await sent("Hey {first_name}, {discount} off")).toMatchObject({
      status: "failed",
      text: "Hey {first_name}, {discount} off",
      error: { code: "variable_missing", message: "{discount} has neither a value nor a fallback.", link: null },
    });
  });

  test.each(["constructor", "__proto__", "toString", "hasOwnProperty", "valueOf"])("know no {%s} that nobody gave", async (name) => {
    expect(await sent(`Hey {${name}|nobody}`)).toMatchObject({ status: "sent", text: "Hey nobody" });
    expect(await sent(`Hey {${name}}`)).toMatchObject({ status: "failed", error: { code: "variable_missing" } });
  });

  test("are only identifiers in braces; everything else is the text itself", async () => {
    const text = "{} { first_name } {1st} {first-name} {{first_name}} {a|b|c} function() { return 1 } }{";
    expect(await sent(text)).toMatchObject({
      status: "sent",
      text: "{} { first_name } {1st} {first-name} {Sarah} b|c function() { return 1 } }{",
    });
  });

  test("behind a backslash are a brace", async () => {
    expect(await sent(String.raw`\{first_name} is {first_name}`)).toMatchObject({ text: "{first_name} is Sarah" });
  });

  test("are not filled a second time by what they were filled with", async () => {
    expect(await sent("{x|$&} {y|$1} {first_name|{last_name}}")).toMatchObject({ text: "$& $1 {first_name|Miller}" });
  });

  test("can make the text too long, or leave nothing of it", async () => {
    expect(await sent(`${"{first_name}".repeat(600)}${"x".repeat(990)}`)).toMatchObject({ status: "sent" });
    expect(await sent("{name}".repeat(342))).toMatchObject({ status: "failed", error: { code: "message_rejected" } });
    expect(await sent("{city|}")).toMatchObject({ status: "failed", error: { code: "message_rejected" } });
  });
});
