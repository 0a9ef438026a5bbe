import { type Clock, toTime } from "#src/core/clock.ts";
import { newId } from "#src/core/ids.ts";
import { canonicalJson } from "#src/core/json.ts";
import { decodeCursor, type Page, PAGE_DEFAULT, toPage } from "#src/core/page.ts";
import { readTime } from "#src/core/time-field.ts";
import type { Principal } from "#src/core/principal.ts";
import type { Tx } from "#src/core/tx.ts";
import type { AuditEntry, AuditQuery, NewAuditEntry } from "./model.ts";
import type { AuditRow, AuditStore, Narrowed } from "./store.ts";

/** Whoever records gives what the API shows, which holds no secret. These never get in, should one stand there all the same. */
const secretMembers = new Set(["key", "token", "text", "hash", "secret"]);

type Members = Record<string, unknown>;

export type AuditService = ReturnType<typeof createAuditService>;

/** Who changed what. Kept for as long as the environment. */
export function createAuditService({ store, clock }: { store: AuditStore; clock: Clock }) {
  return {
    /**
     * Writes a change down in its transaction: of a resource that was there before and after only the members that differ, and
     * nothing at all where none does.
     */
    record(tx: Tx, env_id: number, { actor, operation, subject, before, after }: NewAuditEntry): void {
      const change = differences(withoutSecrets(before), withoutSecrets(after));
      if (change === null) return;
      const created_at = clock.now();
      const [was, is] = change.map((members) => (members === null ? null : JSON.stringify(members)));
      store.insert(tx, { env_id, id: newId("aud", created_at), actor, operation, subject, before: was!, after: is!, created_at });
    },

    /**
     * Newest first; what a contact was and is only for a key that may read contacts.
     * @throws AppError `validation_error` for a bad cursor or time
     */
    async list({ env_id, scopes }: Pick<Principal, "env_id" | "scopes">, query: AuditQuery): Promise<Page<AuditEntry>> {
      const { limit = PAGE_DEFAULT, offset = 0, cursor } = query;
      const by = narrow(query);
      const show = (row: AuditRow): AuditEntry =>
        isOfPerson(row) && !scopes.has("read:contacts") ? { ...presentAuditEntry(row), before: null, after: null } : presentAuditEntry(row);
      const before = cursor === undefined ? null : decodeCursor("audit", env_id, cursor);
      const [rows, count] = await Promise.all([store.page(env_id, by, before, offset, limit + 1), store.count(env_id, by)]);
      return toPage(rows, { list: "audit", env_id, limit, offset }, count, show, (row) => row.id);
    },
  };
}

function isOfPerson({ operation }: AuditRow): boolean {
  return operation.startsWith("contacts.") || operation.startsWith("suppressions.");
}

function withoutSecrets(resource: object | null): Members | null {
  if (resource === null) return null;
  return JSON.parse(JSON.stringify(resource, (name, value: unknown) => (secretMembers.has(name) ? undefined : value))) as Members;
}

function differences(before: Members | null, after: Members | null): [Members | null, Members | null] | null {
  if (before === null || after === null) return [before, after];
  // When it was changed is told by the entry itself.
  const names = Object.keys({ ...before, ...after }).filter((name) => name !== "updated_at");
  const changed = new Set(names.filter((name) => canonicalJson(before[name]) !== canonicalJson(after[name])));
  if (changed.size === 0) return null;
  const only = (members: Members) => Object.fromEntries(Object.entries(members).filter(([name]) => changed.has(name)));
  return [only(before), only(after)];
}

function narrow({ actor, subject, operation, created_after, created_before }: AuditQuery): Narrowed {
  const by: Narrowed = {};
  if (actor !== undefined) by.actor = actor;
  if (subject !== undefined) by.subject = subject;
  if (operation !== undefined) by.operation = operation;
  if (created_after !== undefined) by.created_after = readTime("created_after", created_after);
  if (created_before !== undefined) by.created_before = readTime("created_before", created_before);
  return by;
}

export function presentAuditEntry(row: AuditRow): AuditEntry {
  return {
    id: row.id,
    at: toTime(row.created_at),
    actor: row.actor,
    operation: row.operation,
    subject: row.subject,
    before: row.before === null ? null : (JSON.parse(row.before) as Members),
    after: row.after === null ? null : (JSON.parse(row.after) as Members),
  };
}
