import { serveControl } from "./control.ts";
import { startDataCenter, type DataCenterOptions } from "./start.ts";

interface MainOptions extends DataCenterOptions {
  /** Ends when standard input does, so that it does not outlive whoever started it. */
  stop_with_stdin?: boolean;
}

// The options are one JSON argument: bun main.ts '{"dcIds":[2,4]}'
const { stop_with_stdin = false, ...options } = JSON.parse(process.argv[2] ?? "{}") as MainOptions;
const dc = await startDataCenter(options);
const control = serveControl(dc);
process.stdout.write(`${JSON.stringify({ url: control.url, main: dc.main, publicKeyPem: dc.publicKeyPem })}\n`);

const stop = async () => {
  await control.stop();
  await dc.stop();
  process.exit(0);
};
process.once("SIGTERM", () => void stop());
process.once("SIGINT", () => void stop());
if (stop_with_stdin) process.stdin.resume().once("end", () => void stop());
