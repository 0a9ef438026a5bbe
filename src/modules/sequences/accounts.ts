import type { Maybe } from "#src/core/tx.ts";
import { type Fault, faultAt } from "./faults.ts";
import type { SendStep } from "./model.ts";

/** An account as far as a sequence depends on it. */
export interface AccountStanding {
  kind: string;
  /** False where nothing leaves until somebody logs it in or connects it anew; one that is only paused can go on. */
  isUsable: boolean;
  lacksButtons: boolean;
}

/** What is wrong with the accounts of a step. @param find gives undefined where there is none */
export async function senderReferences(
  step: SendStep,
  at: string,
  find: (id: number) => Maybe<AccountStanding | undefined>,
): Promise<Fault[]> {
  const { account_id, account_ids, channels } = step;
  const ids = account_id === undefined ? (account_ids ?? []) : [account_id];
  const found = await Promise.all(ids.map(async (id) => ({ id, standing: await find(id) })));
  const path = account_id === undefined ? `${at}.account_ids` : `${at}.account_id`;
  const faults = found.flatMap(({ id, standing }, index) =>
    standing === undefined
      ? [faultAt(account_id === undefined ? `${path}.${index}` : path, "not_found", "There is no such account: name another.", id)]
      : [],
  );
  const here = found.flatMap(({ standing }) => standing ?? []);
  const tried = here.filter(({ kind }) => channels === undefined || (channels as string[]).includes(kind));
  const usable = tried.filter(({ isUsable }) => isUsable);
  if (here.length > 0 && tried.length === 0)
    faults.push(
      faultAt(`${at}.channels`, "not_allowed", "No account of the pool is of one of these kinds: name another kind, or other accounts."),
    );
  else if (here.length > 0 && usable.length === 0)
    faults.push(faultAt(path, "not_allowed", `${tellUnusable(ids.length)} can reach nobody until it is logged in or connected again.`));
  else if (step.buttons !== undefined && usable.length > 0 && usable.every(({ lacksButtons }) => lacksButtons))
    faults.push(faultAt(`${at}.buttons`, "not_allowed", "Only bots can send buttons, and no account of this step is one: take them out."));
  return faults;
}

const tellUnusable = (count: number) => (count === 1 ? "This account" : "No account of the pool");
