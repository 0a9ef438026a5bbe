import { Command, Option } from "commander";

/** What a command meets of the outside. Tests give their own. */
export interface Terminal {
  env: Readonly<Record<string, string | undefined>>;
  /** Whether a person reads the log, which goes to stderr. */
  isTerminal: boolean;
  /** Whether a person reads the results as they come. */
  isOutTerminal?: boolean;
  /** Help, tables and results. */
  out(text: string | Uint8Array): void;
  /** Resolves when what was written has been taken: for much text, which would gather otherwise. */
  drained?(): Promise<void>;
  /** What is piped in. */
  input?(): AsyncIterable<Uint8Array>;
  /** Calls back when a person breaks the command off, which then ends. @returns takes the call back */
  onBreak?(then: () => void): () => void;
  /** Progress and errors. */
  err(text: string): void;
}

/** Ends a command with an exit code: 1 for what failed, 2 for wrong usage. The message, if there is one, goes to stderr. */
export class ExitError extends Error {
  constructor(
    message: string,
    readonly code: 1 | 2 = 1,
  ) {
    super(message);
    this.name = "ExitError";
  }
}

export interface CommandTexts {
  /** One line, for the list of commands. */
  summary: string;
  /** What the help says beyond the summary. */
  details?: string;
  /** Without the `posthouse` at their beginning. */
  examples: readonly string[];
}

/** A command whose help ends in examples, and which leaves exiting and writing to its caller. */
export function createCommand(terminal: Terminal, name: string, { summary, details, examples }: CommandTexts): Command {
  return new Command(name)
    .summary(summary)
    .description(details === undefined ? summary : `${summary}\n${details}`)
    .helpOption("-h, --help", "show this help")
    .addHelpText("after", `\nExamples:\n${examples.map((example) => `  $ posthouse ${example}`.trimEnd()).join("\n")}`)
    .configureHelp({ helpWidth: 120 })
    .configureOutput({ writeOut: (text) => terminal.out(text), writeErr: (text) => terminal.err(text) })
    .exitOverride();
}

/** A command that only holds others, such as `keys`. */
export function createGroup(terminal: Terminal, name: string, texts: CommandTexts, commands: readonly Command[]): Command {
  const group = createCommand(terminal, name, texts).helpCommand("help [command]", "show the help of a command");
  for (const command of commands) group.addCommand(command);
  return group;
}

export interface JsonFlag {
  json?: true;
}

export function jsonOption(): Option {
  return new Option("--json", "print one JSON document and nothing else");
}

/** Prints a result: as one JSON document, or as text for people. */
export function printResult(terminal: Terminal, { json }: JsonFlag, document: unknown, text: () => string): void {
  terminal.out(json === true ? `${JSON.stringify(document, null, 2)}\n` : `${text().trimEnd()}\n`);
}
