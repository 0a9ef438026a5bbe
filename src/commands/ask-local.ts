import { get as getHttp, type IncomingMessage } from "node:http";
import { get as getHttps } from "node:https";

const ANSWER_MS_MAX = 3_000;

/**
 * Asks a server on this machine. Never through a proxy of the environment, as fetch would; and a certificate, which may
 * be for a public name, proves nothing on the way to the machine itself.
 * @throws Error when nothing answers within 3 s
 */
export function askLocal(address: string): Promise<{ status: number; header: (name: string) => string | undefined }> {
  return new Promise((resolve, reject) => {
    const options = { timeout: ANSWER_MS_MAX, rejectUnauthorized: false };
    const onAnswer = (answer: IncomingMessage) => {
      answer.resume();
      resolve({ status: answer.statusCode ?? 0, header: (name) => answer.headers[name]?.toString() });
    };
    const request = address.startsWith("https:") ? getHttps(address, options, onAnswer) : getHttp(address, options, onAnswer);
    request.on("timeout", () => request.destroy(new Error(`no answer within ${ANSWER_MS_MAX / 1000} s`)));
    request.on("error", reject);
  });
}
