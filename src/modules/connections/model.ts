import type { RemoteFile } from "#src/modules/files/model.ts";
import type { ContactCard, Location, Person } from "#src/modules/messages/model.ts";

/** Keeps accounts of one kind connected. Declared here, implemented by `plugins/telegram-bot` and `plugins/telegram-user`. */
export interface Connector {
  /** The account kind that it serves. */
  readonly kind: string;
  /**
   * Begins to listen for an account, and goes on through every loss of connection until `close`. Returns at once.
   * One account is connected in one process at a time.
   */
  connect(account: ConnectedAccount, link: Link): Connection;
}

export interface Connection {
  /** Ends it; nothing is given to the link afterwards. */
  close(): Promise<void>;
}

export interface ConnectedAccount {
  env_id: number;
  id: number;
  username: string | null;
  telegram_id: number | null;
  /** A bot's token, opened; never log it. */
  token: string | null;
  /** A user account's session as `Link.saveSession` got it, opened; never log it. */
  session: string | null;
  /** `socks5://user:password@host:port` or `mtproxy://host:port/secret`, opened; never log it. */
  proxy: string | null;
  /** How far its updates were read: what `Link.take` got last. */
  place: string | null;
}

/** The way back from a connector: everything durable goes through it. */
export interface Link {
  /**
   * Keeps what has happened, in order, each once, together with the place from which to go on. Resolves once that is on disk;
   * while the database refuses writes it waits. Rejects only when the account is no longer this process's.
   * @param place null leaves it where it was
   */
  take(happened: readonly Inbound[], place: string | null): Promise<void>;
  /** A round trip has just succeeded. Cheap: to be called with each. */
  proved(): void;
  /** The network or Telegram fails; the connector goes on trying. @param reason in words without secrets */
  failed(reason: string): void;
  /**
   * The token or session is accepted no more; the connector has given up. Resolves once that is on disk, as `take` does.
   * @param final the account is gone for good
   */
  refused(reason: string, final: boolean): Promise<void>;
  /** The session has changed and must outlive this process. */
  saveSession(session: string): Promise<void>;
  peers: PeerBook;
}

/** Whom a user account has met: access hashes are each account's own. */
export interface PeerBook {
  byId(peer_id: number): Promise<Peer | null>;
  byUsername(username: string): Promise<Peer | null>;
  byPhone(phone: string): Promise<Peer | null>;
  save(peers: readonly Peer[]): Promise<void>;
  forget(peer_id: number): Promise<void>;
}

export interface Peer {
  /** As mtcute marks it: users positive, groups negative, channels -100…. */
  peer_id: number;
  access_hash: string;
  /** Lower case, without `@`. */
  usernames: readonly string[];
  /** Digits alone. */
  phone: string | null;
  /** The TL object, base64. */
  full: string;
  /** Ms. */
  updated_at: number;
}

/** The chat of something that has happened. */
export interface InboundChat {
  /** Of a private chat the person's own id; groups are negative, supergroups and channels -100…. */
  id: string;
  type: "private" | "group" | "supergroup" | "channel";
  /** Of a group. */
  title: string | null;
  username: string | null;
  first_name: string | null;
  last_name: string | null;
}

interface Happened {
  chat: InboundChat;
  /** A forum's topic; null elsewhere. */
  topic: { id: string; title: string | null } | null;
  /** Whose doing it is; null where the channel doesn't tell, such as of an anonymous admin. */
  sender: Person | null;
  /** Ms. */
  at: number;
  /** Of a bot: the update's number, by which one that is repeated is known. */
  update_id: number | null;
}

/** What a message holds beside its text. */
export interface Enclosed {
  files: readonly RemoteFile[];
  location: Location | null;
  contact_card: ContactCard | null;
  /** The same for all messages of an album. */
  album_id: string | null;
}

/** Somebody has written. */
export interface Received extends Happened, Enclosed {
  kind: "received";
  /** The channel's own id of the message, unique within the chat. */
  remote_id: string;
  /** A caption too. Empty where there are only files, a location or a contact. */
  text: string;
  /** The channel's own id of the message that it answers. */
  reply_to: string | null;
  /** What stood behind `/start`. */
  start_payload: string | null;
}

export type Inbound =
  | Received
  /** Somebody has changed what they wrote. */
  | (Omit<Received, "kind"> & { kind: "edited" })
  /** Somebody has put these reactions, and no others, to a message of either side. */
  | (Happened & { kind: "reacted"; remote_id: string; reactions: readonly string[] })
  /** Somebody has pressed a button of a message that was sent. */
  | (Happened & { kind: "pressed"; remote_id: string | null; data: string })
  /** What was sent to this chat up to this message has been read. */
  | (Happened & { kind: "read"; up_to: string })
  /** The chat can be written to from now on, or no longer: a bot that was blocked or removed, and the other way about. */
  | (Happened & { kind: "reach"; reachable: boolean })
  /** A topic has this title now. */
  | (Happened & { kind: "topic" })
  /** A group is under another id from now on. */
  | (Happened & { kind: "moved"; to: string });
