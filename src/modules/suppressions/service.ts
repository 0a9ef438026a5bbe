import { type Clock, toTime } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Principal } from "#src/core/principal.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import {
  BY_REPLY,
  EVERY_CHANNEL,
  type NewSuppression,
  type Suppression,
  type SuppressionBatch,
  type SuppressionBatchAnswer,
  type SuppressionFilter,
  type SuppressionReason,
} from "./model.ts";
import type { Narrowed, SuppressionRow, SuppressionStore } from "./store.ts";

/** What suppressions need to know of a channel. */
interface Addressing {
  readonly family: string;
  normalize(recipient: string | number): string | null;
}

interface Needs {
  store: SuppressionStore;
  clock: Clock;
  channels: readonly Addressing[];
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

type Author = Pick<Principal, "env_id" | "key_id">;

/** Who has made one by an answer. */
const PERSON = "contact";

export type SuppressionService = ReturnType<typeof createSuppressionService>;

export function createSuppressionService({ store, clock, channels, audit }: Needs) {
  const families = [...new Set(channels.map(({ family }) => family))];

  /** @throws AppError `validation_error` on `channel` */
  function readChannel(channel: string): string {
    if (channel !== EVERY_CHANNEL && !families.includes(channel))
      throw invalidField("channel", "not_allowed", `channel is one of ${[...families, EVERY_CHANNEL].join(", ")}.`, channel);
    return channel;
  }

  /** Every form that the channels of a family keep this recipient in: in practice one. */
  function formsOf(channel: string, to: string | number): string[] {
    const asked = channels.filter(({ family }) => channel === EVERY_CHANNEL || family === channel);
    return [...new Set(asked.map(({ normalize }) => normalize(to)).filter((form) => form !== null))];
  }

  /** @throws AppError `validation_error` on `channel` or `to` */
  function newRow({ env_id, key_id }: Author, ask: NewSuppression): SuppressionRow {
    const { to, channel = EVERY_CHANNEL, reason = "manual", note = null } = ask;
    const [recipient] = formsOf(readChannel(channel), to);
    if (recipient === undefined)
      throw invalidField("to", "bad_format", "to is neither a username such as @sarah_miller nor a numeric id nor a phone number.", to);
    const now = clock.now(env_id);
    return { env_id, id: newId("sup", now, env_id), channel, recipient, reason, note, actor: key_id, created_at: now };
  }

  async function keep(tx: Tx, author: Author, row: SuppressionRow): Promise<{ suppression: Suppression; created: boolean }> {
    const [kept] = await store.put(tx, [row]);
    const created = kept!.id === row.id;
    if (created) audit(tx, row.env_id, { ...entryOf(author, row), operation: "suppressions.create", before: null, after: remembered(row) });
    return { suppression: presentSuppression(kept!), created };
  }

  async function lift(tx: Tx, author: Author, row: SuppressionRow): Promise<void> {
    await store.remove(tx, row.env_id, row.id);
    audit(tx, row.env_id, { ...entryOf(author, row), operation: "suppressions.delete", before: remembered(row), after: null });
  }

  return {
    /**
     * Notes that somebody must not be written to. Noting it again changes nothing.
     * @returns the suppression, and whether it is new
     * @throws AppError `validation_error` for a recipient or a channel that no channel knows
     */
    async create(tx: Tx, author: Author, ask: NewSuppression): Promise<{ suppression: Suppression; created: boolean }> {
      return keep(tx, author, newRow(author, ask));
    },

    /** As `create`, by what a person has answered. @param recipient in its normal form */
    async optOut(tx: Tx, env_id: number, family: string, recipient: string): Promise<void> {
      const row = newRow({ env_id, key_id: PERSON }, { to: recipient, channel: family });
      await keep(tx, { env_id, key_id: PERSON }, { ...row, reason: BY_REPLY });
    },

    /** Lifts what `optOut` has made, and nothing else. */
    async optIn(tx: Tx, env_id: number, family: string, recipient: string): Promise<void> {
      const row = await store.lockAt(tx, env_id, recipient, family);
      if (row?.reason === BY_REPLY) await lift(tx, { env_id, key_id: PERSON }, row);
    },

    /** Notes up to 500; each is taken or refused by itself. */
    async createBatch(tx: Tx, author: Author, { suppressions }: SuppressionBatch): Promise<SuppressionBatchAnswer> {
      const rows = new Map<string, SuppressionRow>();
      const places = suppressions.map((ask) => {
        try {
          const row = newRow(author, ask);
          const place = placeOf(row);
          const isFirst = !rows.has(place);
          if (isFirst) rows.set(place, row);
          return { place, isFirst };
        } catch (error) {
          if (!(error instanceof AppError)) throw error;
          const { code, message, details } = error;
          return { error: { code, message, ...(details === undefined ? {} : { details }) } };
        }
      });
      // In one order everywhere: batches that lock each other's rows crosswise would be a deadlock.
      const sorted = [...rows.keys()].toSorted().map((place) => rows.get(place)!);
      const kept = new Map((sorted.length === 0 ? [] : await store.put(tx, sorted)).map((row) => [placeOf(row), row.id]));
      const results = places.map((result, index) => {
        if ("error" in result) return { index, error: result.error };
        const id = kept.get(result.place)!;
        return { index, id, created: result.isFirst && id === rows.get(result.place)!.id };
      });
      const refused = results.filter((result) => "error" in result).length;
      return { results, accepted: results.length - refused, refused };
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<Suppression> {
      const row = await store.get(env_id, id);
      if (row === undefined) throw notFound("suppression");
      return presentSuppression(row);
    },

    /** Newest first. @throws AppError `validation_error` for a bad cursor or a channel that is none */
    async list(
      env_id: number,
      { to, channel, reason }: SuppressionFilter,
      { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery,
    ): Promise<Page<Suppression>> {
      const by: Narrowed = {};
      if (to !== undefined) by.recipients = [...new Set([to, ...formsOf(EVERY_CHANNEL, to)])];
      if (channel !== undefined) by.channel = readChannel(channel);
      if (reason !== undefined) by.reason = reason;
      const before = cursor === undefined ? null : decodeCursor("suppressions", env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, by, before, offset, limit + 1), store.count(env_id, by)]);
      return toPage(rows, { list: "suppressions", env_id, limit, offset }, count, presentSuppression, (row) => row.id);
    },

    /** The person may be written to again. @throws AppError `not_found`; what `check` throws */
    async remove(tx: Tx, author: Author, id: string, check: Precondition = unconditional): Promise<void> {
      const { env_id } = author;
      const row = await store.lock(tx, env_id, id);
      if (row === undefined) throw notFound("suppression");
      check(presentSuppression(row));
      await lift(tx, author, row);
    },

    /** Whether an environment has any at all: the cheap question, asked before every group of sends. */
    any(tx: Tx, env_id: number): Maybe<boolean> {
      const row = store.one(tx, env_id);
      return row instanceof Promise ? row.then((found) => found !== undefined) : row !== undefined;
    },

    /**
     * @param recipients in the normal form of their channels
     * @returns tells of each whether channels of a family must not write to it
     */
    async among(tx: Tx, env_id: number, recipients: readonly string[]): Promise<(family: string, recipient: string) => boolean> {
      const places = new Set((await store.among(tx, env_id, recipients)).map(placeOf));
      return (family, recipient) => [family, EVERY_CHANNEL].some((channel) => places.has(placeOf({ channel, recipient })));
    },
  };
}

const entryOf = ({ key_id }: Author, { id }: SuppressionRow) => ({ actor: key_id, subject: id });

/** What the audit keeps of a suppression. Not whom it is of: that would outlive the suppression, and the person's erasure. */
const remembered = ({ channel, reason }: SuppressionRow) => ({ channel, reason });

/** What is unique in an environment: a recipient has no blank in it. */
function placeOf({ channel, recipient }: Pick<SuppressionRow, "channel" | "recipient">): string {
  return `${recipient} ${channel}`;
}

export function presentSuppression(row: SuppressionRow): Suppression {
  return {
    id: row.id,
    channel: row.channel,
    to: row.recipient,
    reason: row.reason as SuppressionReason,
    note: row.note,
    actor: row.actor,
    created_at: toTime(row.created_at),
  };
}
