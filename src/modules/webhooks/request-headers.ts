/** What the headers of an attempt say. */
interface Sent {
  event_id: string;
  /** Seconds since 1970. */
  timestamp: number;
  webhook_signature: string;
  /** The endpoint's own signature header, and what it says. */
  header: string;
  signature: string;
}

type Header = readonly [name: string, value: string];

/** The headers of an attempt. @param own those of one's own, as they are or hidden */
export function requestHeaders({ event_id, timestamp, webhook_signature, header, signature }: Sent, own: readonly Header[]): Header[] {
  return [
    ["content-type", "application/json"],
    ["user-agent", "Posthouse-Webhooks/1"],
    ["webhook-id", event_id],
    ["webhook-timestamp", String(timestamp)],
    ["webhook-signature", webhook_signature],
    [header, signature],
    ...own,
  ];
}
