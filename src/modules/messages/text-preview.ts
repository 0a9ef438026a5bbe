import type { Tx } from "#src/core/tx.ts";
import { fillVariables } from "#src/core/variables.ts";
import { readText, type Templates } from "./compose.ts";
import type { Contacts } from "./contacts.ts";
import type { SendMessage } from "./model.ts";

interface Needs {
  templates: Templates;
  contacts: Pick<Contacts, "variables">;
}

/** Shows what a message would say to a contact. What only the channel knows of the recipient is not in it. */
export function createTextPreview({ templates, contacts }: Needs) {
  /** @returns the text, and the variables without a value or a fallback @throws AppError as a send does */
  return async (
    tx: Tx,
    env_id: number,
    message: Omit<SendMessage, "account_id" | "to">,
    contact_id: string,
  ): Promise<{ text: string; missing: string[] }> => {
    const written = await readText(templates, tx, env_id, { ...message, account_id: 0, to: contact_id }, contact_id);
    const known = (await contacts.variables(tx, env_id, [contact_id])).get(contact_id) ?? {};
    const missing = new Set<string>();
    const valueOf = (name: string) => (Object.hasOwn(known, name) ? known[name] : undefined);
    const text = fillVariables(written, valueOf, (name) => void missing.add(name), message.parse_mode ?? null);
    return { text, missing: [...missing] };
  };
}
