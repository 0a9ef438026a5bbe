import { startBotApi, type BotApiOptions } from "./start.ts";

interface MainOptions extends BotApiOptions {
  /** Ends when standard input does, so that it does not outlive whoever started it. */
  stop_with_stdin?: boolean;
}

// The options are one JSON argument: bun main.ts '{"port":8081}'
const { stop_with_stdin = false, ...options } = JSON.parse(process.argv[2] ?? "{}") as MainOptions;
const api = await startBotApi(options);
process.stdout.write(`${JSON.stringify({ url: api.url })}\n`);

const stop = async () => {
  await api.stop();
  process.exit(0);
};
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());
if (stop_with_stdin) process.stdin.resume().once("end", () => void stop());
