import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { mayUse } from "#src/core/principal.ts";
import type { Tx } from "#src/core/tx.ts";
import type { BatchAnswer, SendBatch } from "#src/modules/messages/model.ts";
import type { NewTask, Task } from "#src/modules/tasks/model.ts";
import { DRY_RUN_TASK } from "./dry-run.ts";
import { type Messages, reasonOf } from "./making.ts";
import type { AskPreview, AskTest, BroadcastMessage, Plan, Preview, Statistics } from "./model.ts";
import { planOf } from "./present.ts";
import type { Author } from "./service.ts";
import { chosen } from "./sharing.ts";
import { statisticsOf } from "./statistics.ts";
import type { BroadcastStore } from "./store.ts";
import { messageOf } from "./variants.ts";

/** The verbs that trials use of messages. */
export interface TrialMessages extends Pick<Messages, "reach"> {
  sendBatch(tx: Tx, sender: Author, batch: SendBatch): Promise<BatchAnswer>;
  /** A message's text for a contact, as far as is known here. @throws AppError as a send does */
  preview(tx: Tx, env_id: number, message: BroadcastMessage, contact_id: string): Promise<{ text: string; missing: string[] }>;
}

interface Needs {
  store: BroadcastStore;
  messages: TrialMessages;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
}

export type TrialService = ReturnType<typeof createTrials>;

const scopes = { read: "read:messages", write: "write:messages" } as const;

/** What can be tried of a broadcast before it is sent, and what is told of it afterwards. */
export function createTrials({ store, messages, createTask }: Needs) {
  /** @throws AppError `not_found`, also for a key that may not use its accounts */
  async function find(tx: Tx, author: Author, id: string): Promise<Plan> {
    const row = await store.get(tx, author.env_id, id);
    if (row === undefined || !planOf(row).account_ids.every((account) => mayUse(author, account))) throw notFound("broadcast");
    return planOf(row);
  }

  /** @throws AppError `validation_error` on `variant` */
  function messageIn(plan: Plan, variant: string | undefined): BroadcastMessage {
    if (variant !== undefined && plan.ab_test?.variants.some(({ name }) => name === variant) !== true)
      throw invalidField("variant", "not_found", "The broadcast has no such variant.", variant);
    return messageOf(plan, variant ?? "");
  }

  return {
    /** @throws AppError `not_found` (the broadcast or the contact), `validation_error` on `variant` */
    async preview(tx: Tx, author: Author, id: string, { contact_id, variant }: AskPreview): Promise<Preview> {
      const { env_id } = author;
      const plan = await find(tx, author, id);
      const message = messageIn(plan, variant);
      const [reaching] = await messages.reach(tx, env_id, plan.account_ids, [contact_id]);
      if (reaching === undefined || reaching.contact_id === null) throw notFound("contact");
      const way = reaching.kind === "ways" ? chosen(reaching.ways, new Map(), new Map()) : null;
      const shown = { contact_id: reaching.contact_id, account_id: way?.account_id ?? null };
      const reason = reaching.kind === "ways" ? way!.foreseen : reaching.reason;
      try {
        const { text, missing } = await messages.preview(tx, env_id, message, reaching.contact_id);
        return { ...shown, text, missing, reason: reason ?? (missing.length > 0 ? "variable_missing" : null) };
      } catch (error) {
        if (!(error instanceof AppError)) throw error;
        return { ...shown, text: null, missing: [], reason: reason ?? reasonOf(error) };
      }
    },

    /** Sends it to some at once, as messages that count for nothing but themselves. @throws AppError `not_found`, `validation_error` on `variant` */
    async test(tx: Tx, author: Author, id: string, { to, variant }: AskTest): Promise<BatchAnswer> {
      const plan = await find(tx, author, id);
      const message = messageIn(plan, variant);
      const contacts = to.filter((one): one is string => typeof one === "string" && one.startsWith("ct_"));
      const reached = await messages.reach(tx, author.env_id, plan.account_ids, contacts);
      const senders = new Map(
        reached.map((reaching, at) => [
          contacts[at],
          reaching.kind === "ways" ? chosen(reaching.ways, new Map(), new Map()).account_id : undefined,
        ]),
      );
      const accountOf = (one: string | number) => senders.get(String(one)) ?? plan.account_ids[0]!;
      return messages.sendBatch(tx, author, { messages: to.map((one) => ({ ...message, account_id: accountOf(one), to: one })) });
    },

    /** Begins to reckon what it would come to. @returns the long job @throws AppError `not_found` */
    async dryRun(tx: Tx, author: Author, id: string): Promise<Task> {
      await find(tx, author, id);
      return createTask(tx, author.env_id, { kind: DRY_RUN_TASK, scopes, params: { broadcast_id: id }, total: null });
    },

    /** @throws AppError `not_found` */
    async statistics(env_id: number, id: string): Promise<Statistics> {
      const row = await store.get(null, env_id, id);
      if (row === undefined) throw notFound("broadcast");
      return statisticsOf(row, await store.counts(null, env_id, id));
    },
  };
}
