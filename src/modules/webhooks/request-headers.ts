import { HIDDEN } from "./headers.ts";

interface Sent {
  user_agent: string;
  event_id: string;
  /** Seconds since 1970. */
  timestamp: number;
  webhook_signature: string;
  /** The endpoint's own signature header, and what it says. */
  header: string;
  signature: string;
  /** Of headers of one's own. */
  names: readonly string[];
}

/** The headers of an attempt as they were sent, but for the values of those of one's own. */
export function hiddenHeaders({
  user_agent,
  event_id,
  timestamp,
  webhook_signature,
  header,
  signature,
  names,
}: Sent): Record<string, string> {
  return {
    "content-type": "application/json",
    "user-agent": user_agent,
    "webhook-id": event_id,
    "webhook-timestamp": String(timestamp),
    "webhook-signature": webhook_signature,
    [header]: signature,
    ...Object.fromEntries(names.map((name) => [name, HIDDEN])),
  };
}
