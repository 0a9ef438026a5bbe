import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { newId } from "#src/core/ids.ts";
import { mayUse, type Principal } from "#src/core/principal.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { SANDBOX_ACCOUNT_ID } from "#src/modules/accounts/model.ts";
import type { Inbound } from "#src/modules/connections/model.ts";
import type { Message, Person } from "#src/modules/messages/model.ts";
import type { NewInbound } from "./model.ts";

interface Account {
  id: number;
  kind: string;
  username: string | null;
  deleted_at: number | null;
}

/** What the sandbox needs to know of a channel. */
interface Stage {
  normalize(recipient: string | number): string | null;
  /** Who writes from an address; only where people are played. */
  persona?(address: string): Person | null;
}

interface Needs {
  clock: Clock;
  channels: ReadonlyMap<string, Stage>;
  accounts: { row(tx: Tx, env_id: number, id: number): Maybe<Account | undefined> };
  contacts: {
    ownerOf(tx: Tx, env_id: number, address: string): Maybe<string | null>;
    addresses(tx: Tx, env_id: number, id: string): Maybe<{ addresses: string[] } | undefined>;
  };
  happened(
    tx: Tx,
    account: Account & { env_id: number },
    items: readonly Inbound[],
  ): Promise<readonly ({ message: Message; created: boolean } | null)[]>;
}

const playsPeople = (stage: Stage): stage is Required<Stage> => stage.persona !== undefined;

type Player = Pick<Principal, "env_id" | "mode" | "account_ids">;

export type SandboxService = ReturnType<typeof createSandboxService>;

/** Plays people who write, in test environments. */
export function createSandboxService({ clock, channels, accounts, contacts, happened }: Needs) {
  /** A contact is who it is: what is made up is only what nobody has told. */
  async function playedBy(tx: Tx, env_id: number, from: string, stage: Required<Stage>): Promise<Person | null> {
    const owner = await contacts.ownerOf(tx, env_id, from);
    const known = owner === null ? [] : ((await contacts.addresses(tx, env_id, owner))?.addresses ?? []);
    const id = known.find((address) => /^\d+$/.test(address));
    const person = stage.persona(known.find((address) => address.startsWith("@")) ?? from);
    if (person === null) return null;
    const telegram_id = from.startsWith("@") ? id : from;
    return telegram_id === undefined ? person : { ...person, telegram_id: Number(telegram_id) };
  }

  return {
    /**
     * Plays a message to an account, in a private chat.
     * @returns the message, and whether it is new
     * @throws AppError `conflict` in a live environment, `not_found` for the account, `validation_error` on `from`
     */
    async inbound(tx: Tx, player: Player, ask: NewInbound): Promise<{ message: Message; created: boolean }> {
      const { env_id, mode } = player;
      if (mode !== "test") throw new AppError("conflict", "Only in a test environment can messages be played: use a key of one.");
      const { account_id = SANDBOX_ACCOUNT_ID } = ask;
      const account = await accounts.row(tx, env_id, account_id);
      if (account === undefined || account.deleted_at !== null || !mayUse(player, account_id)) throw notFound("account");
      const channel = channels.get(account.kind)!;
      if (!playsPeople(channel))
        throw new AppError("conflict", `Nobody is played to this account: use the sandbox account, ${SANDBOX_ACCOUNT_ID}.`);
      const from = channel.normalize(ask.from);
      const sender = from === null || channel.persona(from) === null ? null : await playedBy(tx, env_id, from, channel);
      if (sender === null)
        throw invalidField("from", "bad_format", "from is neither a username such as @sarah_miller nor a person's numeric id.", ask.from);
      const now = clock.now(env_id);
      const remote_id = ask.message_id === undefined ? newId("msg", now, env_id) : String(ask.message_id);
      const { telegram_id: _, ...names } = sender;
      const chat = { ...names, id: String(sender.telegram_id), type: "private", title: null } as const;
      const nothing = { files: [], location: null, contact_card: null, album_id: null, reply_to: null, start_payload: null };
      const told = {
        ...nothing,
        kind: "received",
        chat,
        topic: null,
        sender,
        at: now,
        update_id: null,
        remote_id,
        text: ask.text,
      } as const;
      const [landed] = await happened(tx, { ...account, env_id }, [told]);
      return landed!;
    },
  };
}
