import { run } from "#src/commands/program.ts";

export interface Ran {
  code: number;
  out: string;
  err: string;
}

/**
 * Runs a command line in this process.
 * @param env all that the command sees of the environment
 */
export async function runCommand(argv: string[], env: Record<string, string> = {}): Promise<Ran> {
  const decoder = new TextDecoder();
  const ran: Ran = { code: -1, out: "", err: "" };
  const terminal = {
    env,
    isTerminal: false,
    out: (text: string | Uint8Array) => void (ran.out += typeof text === "string" ? text : decoder.decode(text, { stream: true })),
    err: (text: string) => void (ran.err += text),
  };
  ran.code = await run(argv, terminal);
  return ran;
}
