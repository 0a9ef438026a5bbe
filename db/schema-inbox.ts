/** A conversation: an account, a chat, and in a forum a topic. */
export interface ThreadRow {
  env_id: number;
  id: string;
  channel: string;
  account_id: number;
  chat_id: string;
  /** Empty outside of forums, so that the place is unique. */
  topic_id: string;
  type: string;
  title: string | null;
  /** Of a private chat, in lower case. */
  username: string | null;
  /** Of a private chat. */
  contact_id: string | null;
  unread: number;
  last_message_id: string;
  last_message_at: number;
  archived_at: number | null;
  created_at: number;
  updated_at: number;
}

/** What colleagues tell one another of a thread. */
export interface ThreadNoteRow {
  env_id: number;
  thread_id: string;
  id: string;
  text: string;
  actor: string;
  created_at: number;
}

/** How an account is connected to Telegram: what its connector writes, apart from what people set. */
export interface ConnectionRow {
  env_id: number;
  account_id: number;
  /** Of a user account; sealed by core/cipher for `session:<env>:<account>`. */
  session: string | null;
  /** How far updates were read, as the connector likes. */
  place: string | null;
  /** The last round trip that is known of, to the minute. */
  proof_at: number | null;
  error: string | null;
  error_at: number | null;
}

/** Whom a user account has met, with its own access hash. */
export interface PeerRow {
  env_id: number;
  account_id: number;
  peer_id: number;
  access_hash: string;
  username: string | null;
  phone: string | null;
  /** The TL object, base64. */
  full_object: string;
  updated_at: number;
}

/** An update of a bot that came by webhook and was taken. */
export interface UpdateRow {
  env_id: number;
  account_id: number;
  update_id: number;
  taken_at: number;
}

/** A file that was uploaded, or that can be fetched from where it was received. */
export interface FileRow {
  env_id: number;
  id: string;
  /** Whose channel it came by; null of an upload. */
  account_id: number | null;
  /** What that channel needs for fetching it. */
  remote: string | null;
  /** By which the channel tells that two are the same. */
  remote_key: string | null;
  type: string;
  name: string | null;
  mime: string | null;
  size: number | null;
  /** Since when the bytes are here; null while they are not. */
  stored_at: number | null;
  used_at: number;
  created_at: number;
}
