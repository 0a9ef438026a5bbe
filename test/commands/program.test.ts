import { describe, expect, test } from "bun:test";
import type { Command } from "commander";
import { createProgram } from "#src/commands/program.ts";
import { runCommand } from "#test/support/terminal.ts";

const silent = { env: {}, isTerminal: false, out() {}, err() {} };

/** Every command and group, each as the words that call it. */
function everyCommand(command: Command = createProgram(silent), words: string[] = []): string[][] {
  return [words, ...command.commands.flatMap((sub) => everyCommand(sub, [...words, sub.name()]))];
}

describe("--help", () => {
  for (const words of everyCommand())
    test(`of "posthouse ${words.join(" ")}" stands on stdout, with examples that name it`, async () => {
      const { code, out, err } = await runCommand([...words, "--help"]);
      expect({ code, err }).toEqual({ code: 0, err: "" });
      expect(out).toStartWith(`Usage: ${["posthouse", ...words].join(" ")}`);
      expect(out).toContain(`\nExamples:\n  $ ${["posthouse", ...words].join(" ")}`);
    });
});

describe("an example in a help is a command line that is understood", () => {
  for (const example of everyCommand().flatMap(examplesOf))
    test(example, async () => {
      const program = createProgram(silent);
      for (const words of everyCommand()) find(words, program).action(() => {});
      await program.parseAsync(splitWords(example).slice(1), { from: "user" });
    });
});

test("an unknown command is wrong usage, and named with what it resembles", async () => {
  const { code, out, err } = await runCommand(["servce"]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain("unknown command 'servce'");
  expect(err).toContain("Did you mean");
});

test("an unknown flag, a flag without its value, and a word too many are wrong usage", async () => {
  for (const argv of [
    ["version", "--loud"],
    ["service", "print", "--executable"],
    ["version", "please"],
  ]) {
    const { code, out, err } = await runCommand(argv);
    expect({ argv, code, out }).toEqual({ argv, code: 2, out: "" });
    expect(err).toStartWith("error: ");
  }
});

test("a group without a command is wrong usage, and shows on stderr what there is", async () => {
  const { code, out, err } = await runCommand(["service"]);
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toContain("Usage: posthouse service");
});

test("settings that do not parse are wrong usage, a line for each", async () => {
  const { code, out, err } = await runCommand(["health", "--port", "x"], { HOST: "a b" });
  expect({ code, out }).toEqual({ code: 2, out: "" });
  expect(err).toBe(
    'HOST is "a b"; accepted: an IP address or a host name\nPORT (--port) is "x"; accepted: a whole number from 0 to 65535\n',
  );
});

function find(words: string[], program = createProgram(silent)): Command {
  return words.reduce((command, word) => command.commands.find((sub) => sub.name() === word)!, program);
}

function examplesOf(words: string[]): string[] {
  let help = "";
  find(words)
    .configureOutput({ writeOut: (text) => (help += text) })
    .outputHelp();
  return [...help.matchAll(/^ {2}\$ (posthouse.*)$/gm)].map(([, example]) => example!);
}

/** As a shell would, up to a redirection or a pipe. */
function splitWords(line: string): string[] {
  const words = line.match(/'[^']*'|"[^"]*"|[^\s'"]+/g) ?? [];
  const end = words.findIndex((word) => word === ">" || word === "|");
  return words.slice(0, end === -1 ? undefined : end).map((word) => word.replace(/^(['"])(.*)\1$/s, "$2"));
}
