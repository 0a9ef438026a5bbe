import type { Cipher } from "#src/core/cipher.ts";
import type { Clock } from "#src/core/clock.ts";
import { toTime } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Tx } from "#src/core/tx.ts";
import type { Enqueue } from "#src/jobs/job.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { EventKinds } from "./event-names.ts";
import type { Filter } from "./filter.ts";
import { forgetting } from "./job.ts";
import { laneOf } from "./lane.ts";
import type { CreatedWebhook, NewWebhook, Retry, RotatedSecret, RotateSecret, Signature, Webhook, WebhookPatch } from "./model.ts";
import { checkSecret, makeSecret } from "./new-secret.ts";
import { presentWebhook, withoutUse } from "./present.ts";
import { openHeaders, openSecrets, type Secret, sealHeaders, sealSecrets } from "./secrets.ts";
import { readSettings, type Settings } from "./settings.ts";
import type { WebhookRow, WebhookStore, WebhookWithState } from "./store.ts";

/** In an environment. */
const WEBHOOKS_MAX = 100;
/** Former secrets that sign too. */
const FORMER_MAX = 4;
const OVERLAP_SECONDS = 86_400;
const SECRETS_TRIED_MAX = 20;

interface Needs {
  store: WebhookStore;
  clock: Clock;
  cipher: Cipher;
  kinds: EventKinds;
  /** Where an address leads. @returns null when it may be dialled, else why not */
  judge(url: string): Promise<string | null>;
  /** The place behind all events that are there. */
  head(tx: Tx, env_id: number): Promise<{ tx_id: number; seq: number }>;
  addLane(tx: Tx, env_id: number, lane: string): Promise<void>;
  /** Tells whoever delivers that an endpoint, or what waits for it, is another. */
  changed(tx: Tx, env_id: number, webhook_id: string): void;
  enqueue: Enqueue;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** Who writes. */
export interface Author {
  env_id: number;
  key_id: string;
}

export type WebhookService = ReturnType<typeof createWebhookService>;

/** Endpoints: where events of an environment are sent. */
export function createWebhookService(needs: Needs) {
  const { store, clock, cipher, kinds } = needs;
  const show = (row: WebhookWithState): Webhook => presentWebhook(row, openHeaders(cipher, row));

  async function find(tx: Tx, env_id: number, id: string): Promise<WebhookWithState> {
    const row = await store.lock(tx, env_id, id);
    if (row === undefined) throw notFound("webhook");
    return row;
  }

  /** @throws AppError `validation_error` on `url` */
  async function judge(url: string): Promise<void> {
    const refusal = await needs.judge(url);
    if (refusal === null) return;
    throw invalidField("url", "refused", `url can't be used: ${refusal}. The setting ALLOW_PRIVATE_WEBHOOKS lets private addresses in.`);
  }

  function settingsOf(row: WebhookRow): Settings {
    return {
      url: row.url,
      events: JSON.parse(row.events) as string[],
      description: row.description,
      filter: row.filter === null ? null : (JSON.parse(row.filter) as Filter),
      headers: openHeaders(cipher, row),
      retry: row.retry === null ? null : (JSON.parse(row.retry) as Retry),
      signature: row.signature === null ? null : (JSON.parse(row.signature) as Signature),
    };
  }

  function columnsOf(place: { env_id: number; id: string }, { url, events, description, filter, headers, retry, signature }: Settings) {
    const json = (value: object | null) => (value === null ? null : JSON.stringify(value));
    return {
      ...{ url, events: JSON.stringify(events), description, filter: json(filter), retry: json(retry), signature: json(signature) },
      headers: sealHeaders(cipher, place, headers),
    };
  }

  function readAll(ask: NewWebhook): Settings {
    if (ask.secret !== undefined) checkSecret(ask.secret);
    return readSettings(ask, kinds);
  }

  return {
    /**
     * Looks at what is asked, and then at where its address leads: for before the transaction that makes it.
     * @throws AppError `validation_error` on the part that is wrong
     */
    async check(ask: NewWebhook): Promise<void> {
      readAll(ask);
      await judge(ask.url);
    },

    /**
     * Makes an endpoint, which gets what happens from then on. Its address was judged before.
     * @returns with the secret, which is never shown again
     * @throws AppError `validation_error` on the part that is wrong; `conflict` when there are too many
     */
    async create(tx: Tx, { env_id, key_id }: Author, ask: NewWebhook): Promise<CreatedWebhook> {
      const settings = readAll(ask);
      if ((await store.countAlone(tx, env_id)) >= WEBHOOKS_MAX)
        throw new AppError("conflict", `There are at most ${WEBHOOKS_MAX} webhooks: delete one first.`);
      const now = clock.now(env_id);
      const secret = ask.secret ?? makeSecret();
      const place = { env_id, id: newId("wh", now, env_id) };
      const row: WebhookRow = {
        ...place,
        ...columnsOf(place, settings),
        secrets: sealSecrets(cipher, place, [{ number: 1, text: secret, expires_at: null }]),
        ...{ paused: 0, disabled_at: null, disabled_reason: null, deleted_at: null, created_at: now, updated_at: now },
      };
      const log = await needs.head(tx, env_id);
      await store.insert(tx, row, log);
      await needs.addLane(tx, env_id, laneOf(row.id));
      needs.changed(tx, env_id, row.id);
      const after = show({ ...row, ...log, failing_since: null, last_success_at: null });
      needs.audit(tx, env_id, { actor: key_id, operation: "webhooks.create", subject: row.id, before: null, after });
      return { ...after, secret };
    },

    /** @throws AppError `not_found` */
    async get(env_id: number, id: string): Promise<Webhook> {
      const row = await store.get(env_id, id);
      if (row === undefined) throw notFound("webhook");
      return show(row);
    },

    /** Newest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async list(env_id: number, { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery): Promise<Page<Webhook>> {
      const before = cursor === undefined ? null : decodeCursor("webhooks", env_id, cursor);
      const [rows, total] = await Promise.all([store.page(env_id, before, offset, limit + 1), store.count(env_id)]);
      return toPage(rows, { list: "webhooks", env_id, limit, offset }, { total, capped: false }, show, (row) => row.id);
    },

    /**
     * As `check`, of a change with another address.
     * @throws AppError `not_found`; `validation_error` on the part that is wrong; what `check` throws
     */
    async checkPatch(env_id: number, id: string, patch: WebhookPatch & { url: string }, check: Precondition): Promise<void> {
      const row = await store.get(env_id, id);
      if (row === undefined) throw notFound("webhook");
      check(withoutUse(show(row)));
      readSettings(patch, kinds, settingsOf(row));
      await judge(patch.url);
    },

    /**
     * Changes what is given. `paused: false` enables what was disabled, too.
     * @throws AppError `not_found`; `validation_error` on the part that is wrong, also a filter that is kept and can match nothing of
     * the new events; what `check` throws
     */
    async patch(
      tx: Tx,
      { env_id, key_id }: Author,
      id: string,
      patch: WebhookPatch,
      check: Precondition = unconditional,
    ): Promise<Webhook> {
      const row = await find(tx, env_id, id);
      const before = show(row);
      check(withoutUse(before));
      if (patch.skip_waiting === true && patch.paused !== false)
        throw invalidField("skip_waiting", "not_allowed", "skip_waiting goes with paused: false, when the endpoint is enabled again.");
      const was = settingsOf(row);
      const settings = readSettings(patch, kinds, was);
      const enabled = patch.paused === false ? { disabled_at: null, disabled_reason: null } : {};
      const paused = patch.paused === undefined ? row.paused : Number(patch.paused);
      const { tx_id, seq, failing_since, last_success_at, ...columns } = row;
      const changed: WebhookRow = { ...columns, ...columnsOf(row, settings), ...enabled, paused, updated_at: clock.now(env_id) };
      await store.update(tx, changed);
      const isBack = row.disabled_at !== null && changed.disabled_at === null;
      const anew = {
        ...(isBack ? { failing_since: null } : {}),
        ...(patch.skip_waiting === true ? await needs.head(tx, env_id) : {}),
      };
      if (Object.keys(anew).length > 0) await store.updateState(tx, row, anew);
      needs.changed(tx, env_id, id);
      const after = show({ ...changed, tx_id, seq, failing_since, last_success_at, ...anew });
      const noted = JSON.stringify(was.headers) === JSON.stringify(settings.headers) ? after : { ...after, headers_changed: true };
      needs.audit(tx, env_id, { actor: key_id, operation: "webhooks.patch", subject: id, before, after: noted });
      return after;
    },

    /**
     * Deletes an endpoint: nothing more is sent to it, nothing of it is shown, and what was kept of it is removed soon after.
     * @throws AppError `not_found`; what `check` throws
     */
    async remove(tx: Tx, { env_id, key_id }: Author, id: string, check: Precondition = unconditional): Promise<void> {
      const row = await find(tx, env_id, id);
      const before = show(row);
      check(withoutUse(before));
      const now = clock.now(env_id);
      const { tx_id: _tx, seq: _seq, failing_since: _since, last_success_at: _at, ...columns } = row;
      // Of the secrets and the headers nothing is needed any more.
      await store.update(tx, { ...columns, secrets: sealSecrets(cipher, row, []), headers: null, deleted_at: now, updated_at: now });
      needs.enqueue(tx, forgetting({ env_id, webhook_id: id }, now));
      needs.changed(tx, env_id, id);
      needs.audit(tx, env_id, { actor: key_id, operation: "webhooks.delete", subject: id, before, after: null });
    },

    /**
     * Gives an endpoint another secret. The former one signs too until the overlap ends, as do those before it until theirs does.
     * @returns the new secret, which is never shown again
     * @throws AppError `not_found`; `validation_error` on `secret`; `conflict` when too many former ones sign still
     */
    async rotateSecret(tx: Tx, { env_id, key_id }: Author, id: string, ask: RotateSecret): Promise<RotatedSecret> {
      if (ask.secret !== undefined) checkSecret(ask.secret);
      const row = await find(tx, env_id, id);
      const now = clock.now(env_id);
      const secrets = openSecrets(cipher, row);
      if (secrets.some(({ text }) => text === ask.secret))
        throw invalidField("secret", "taken", "The endpoint has this secret already: take another one.");
      const { overlap_seconds = OVERLAP_SECONDS } = ask;
      const ends = now + overlap_seconds * 1_000;
      const former =
        overlap_seconds === 0 ? [] : secrets.map((one) => ({ ...one, expires_at: one.expires_at ?? ends })).filter(isLiving(now));
      if (former.length > FORMER_MAX) throw tooManyFormer(former);
      const number = Math.max(0, ...secrets.map((one) => one.number)) + 1;
      const text = ask.secret ?? makeSecret();
      const sealed = sealSecrets(cipher, row, [{ number, text, expires_at: null }, ...former]);
      const { tx_id: _tx, seq: _seq, failing_since: _since, last_success_at: _at, ...columns } = row;
      await store.update(tx, { ...columns, secrets: sealed, updated_at: now });
      needs.changed(tx, env_id, id);
      const before = show(row);
      const after = { ...before, rotated: true, previous_expires_at: overlap_seconds === 0 ? null : toTime(ends) };
      needs.audit(tx, env_id, { actor: key_id, operation: "webhooks.rotate_secret", subject: id, before, after });
      return { secret: text, previous_expires_at: after.previous_expires_at };
    },

    /** @throws Error in words for the person who starts the program, when the secrets were sealed with another secret */
    async trySecrets(): Promise<void> {
      const rows = await store.someSealed(SECRETS_TRIED_MAX);
      // One that alone can't be opened is that endpoint's misfortune, and no reason to stand still.
      if (rows.length === 0 || rows.some(opens)) return;
      const advice = "set POSTHOUSE_SECRET, or put secret.key back into the data folder, as it was when the webhooks were made";
      throw new Error(`the webhooks' secrets in the database can't be opened with this secret: ${advice}`);
    },
  };

  function opens(row: Pick<WebhookRow, "env_id" | "id" | "secrets">): boolean {
    try {
      openSecrets(cipher, row);
      return true;
    } catch {
      return false;
    }
  }
}

const isLiving =
  (now: number) =>
  ({ expires_at }: Secret): boolean =>
    expires_at !== null && expires_at > now;

function tooManyFormer(former: readonly Secret[]): AppError {
  const first = Math.min(...former.slice(1).map(({ expires_at }) => expires_at ?? Number.POSITIVE_INFINITY));
  return new AppError(
    "conflict",
    `${FORMER_MAX} former secrets sign still, the first of which ends at ${toTime(first)}: wait for that, or give overlap_seconds 0 to drop them all.`,
  );
}
