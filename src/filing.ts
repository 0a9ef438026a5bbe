import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import { AppError } from "#src/core/errors.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { sweepFiles } from "#src/modules/files/job.ts";
import type { FileFolder } from "#src/modules/files/model.ts";
import { createFileRegistry } from "#src/modules/files/registry.ts";
import { createFileService } from "#src/modules/files/service.ts";
import { createFileStore, type FileRow } from "#src/modules/files/store.ts";
import type { Channel, FetchResult, Refusal } from "#src/modules/messages/channel.ts";
import type { SendingAccount } from "#src/modules/messages/service.ts";

const RETRY_SECONDS = 5;

export interface FilesPlace {
  folder: FileFolder;
  /** Of received files. */
  cacheBytesMax: number;
}

interface Needs<Account extends SendingAccount> extends FilesPlace {
  db: Database;
  clock: Clock;
  channels: ReadonlyMap<string, Channel>;
  accounts: {
    row(tx: Tx | null, env_id: number, id: number): Maybe<Account | undefined>;
    openToken(account: Account): string | null;
  };
}

/** Files, and how the ones that were received are fetched from their channels. */
export function createFiling<Account extends SendingAccount>({ db, clock, folder, cacheBytesMax, channels, accounts }: Needs<Account>) {
  const store = createFileStore(db);
  const files = createFileService<Refusal>({ store, clock, folder, cacheBytesMax, fetch, explain, write: db.write });

  async function fetch({ env_id, account_id, remote }: FileRow, signal: AbortSignal): Promise<FetchResult> {
    const account = account_id === null ? undefined : await accounts.row(null, env_id, account_id);
    const channel = account === undefined ? undefined : channels.get(account.kind);
    if (account === undefined || account.deleted_at !== null || channel?.fetchFile === undefined || remote === null)
      return { kind: "failed", code: "account_unauthorized", message: "The account that received it was removed.", link: null };
    const { id, username } = account;
    return channel.fetchFile({ env_id, id, username, token: accounts.openToken(account) }, remote, signal);
  }

  return {
    service: files,
    keepFile: createFileRegistry({ store, clock }),
    sweepJob: sweepFiles({ store, clock, folder, trim: files.trim, write: db.write }),
  };
}

function explain(refusal: Refusal): AppError {
  switch (refusal.kind) {
    case "failed":
      return new AppError("conflict", `The file can't be fetched: ${refusal.message}`);
    case "unauthorized":
      return new AppError(
        "conflict",
        "The file can't be fetched: Telegram no longer accepts the account that received it. Connect it again.",
      );
    case "hold":
    case "hold_chat":
      return new AppError("unavailable", "Telegram asks for patience with the account that received it.", {
        retryAfter: Math.max(1, Math.ceil(refusal.ms / 1_000)),
      });
    case "restricted":
    case "pause":
    case "unreached":
    case "unknown":
      return new AppError("unavailable", `The file can't be fetched at the moment: ${refusal.reason}`, { retryAfter: RETRY_SECONDS });
    default:
      return refusal satisfies never;
  }
}
