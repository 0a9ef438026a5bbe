import { Worker } from "bullmq";

/** The same work through BullMQ: fills in the name and hands back what became of it, which BullMQ keeps with the job. */
const { port, queue, concurrency } = JSON.parse(process.argv[2]!) as { port: number; queue: string; concurrency: number };

interface Message {
  account_id: number;
  to: string;
  text: string;
}

let lastId = 0;

const worker = new Worker<Message>(
  queue,
  async ({ data: { to, text } }) => ({
    status: "sent",
    remote_id: String(++lastId),
    text: text.replace("{first_name}", to.slice(1)),
    sent_at: Date.now(),
  }),
  { connection: { host: "127.0.0.1", port, maxRetriesPerRequest: null }, concurrency },
);
worker.on("error", (error) => console.error(error));
process.on("SIGTERM", () => void worker.close(true).then(() => process.exit(0)));
