import { checkUrl } from "./address.ts";
import { checkEvents, type EventKinds, typesOf } from "./event-names.ts";
import { type Filter, readFilter } from "./filter.ts";
import { checkHeaders, checkSignature, defaultSignature } from "./headers.ts";
import type { NewWebhook, Signature, WebhookPatch } from "./model.ts";
import { completeRetry, type RetryPolicy } from "./retry-policy.ts";

/** What is asked of an endpoint, whole. */
export interface Settings {
  url: string;
  events: string[];
  description: string | null;
  filter: Filter | null;
  headers: Record<string, string>;
  /** null for the default. */
  retry: RetryPolicy | null;
  /** null for the default. */
  signature: Signature | null;
}

type Ask = Partial<Pick<NewWebhook & WebhookPatch, "url" | "events" | "description" | "filter">> &
  Pick<WebhookPatch, "headers" | "retry" | "signature">;

const none: Settings = { url: "", events: [], description: null, filter: null, headers: {}, retry: null, signature: null };

/**
 * Makes settings of what was asked and of what there is.
 * @throws AppError `validation_error` on the part that is wrong
 */
export function readSettings(ask: Ask, kinds: EventKinds, before: Settings = none): Settings {
  const { url = before.url, events = before.events, description = before.description } = ask;
  if (ask.url !== undefined) checkUrl(url);
  if (ask.events !== undefined) checkEvents(events, kinds.types);
  const signature = ask.signature === undefined ? before.signature : completeSignature(ask.signature);
  const signed = signature ?? defaultSignature;
  checkSignature(signed);
  const headers = ask.headers === undefined ? before.headers : (ask.headers ?? {});
  checkHeaders(headers, signed);
  const retry = ask.retry === undefined ? before.retry : ask.retry === null ? null : completeRetry(ask.retry);
  const filter = ask.filter === undefined ? before.filter : (ask.filter as Filter | null);
  return { url, events, description, headers, retry, signature, filter: filter === null ? null : read(filter, events, kinds) };
}

const completeSignature = (ask: NonNullable<Ask["signature"]> | null): Signature | null =>
  ask === null ? null : { header: ask.header ?? defaultSignature.header, format: ask.format ?? defaultSignature.format };

/** Also one that is kept, when the endpoint asks for other events: it must be able to match something. */
function read(filter: unknown, events: readonly string[], { types, schemaOf }: EventKinds): Filter {
  return readFilter("filter", filter, (typesOf(events, types) ?? types).map(schemaOf));
}
