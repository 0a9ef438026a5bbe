import { type Clock, toTime } from "#src/core/clock.ts";
import { AppError, invalidField, notFound } from "#src/core/errors.ts";
import { type Precondition, unconditional } from "#src/core/etag.ts";
import { newId } from "#src/core/ids.ts";
import { decodeNumberCursor, type Page, PAGE_DEFAULT, type PageQuery, toPage } from "#src/core/page.ts";
import type { Principal } from "#src/core/principal.ts";
import type { Tx } from "#src/core/tx.ts";
import type { NewAuditEntry } from "#src/modules/audit/model.ts";
import type { Environment, EnvironmentPatch, NewEnvironment, Plan, Workspace, WorkspacePatch } from "./model.ts";
import { planLimits } from "./model.ts";
import type { EnvironmentRow, WorkspaceRow, WorkspaceStore } from "./store.ts";

interface Needs {
  store: WorkspaceStore;
  clock: Clock;
  /** Makes what every test environment has: its sandbox account. */
  furnishSandbox(tx: Tx, env_id: number): Promise<void>;
  /** Tells an environment of a rise of plan. */
  planRose(tx: Tx, env_id: number, actor: string, change: { workspace: Workspace; previous_plan: string | null }): void;
  /** Keys carry the plan's limit: forget what is cached of them. */
  keysChanged(): void;
  audit(tx: Tx, env_id: number, entry: NewAuditEntry): void;
}

/** Who changes something of a workspace: a key and the environment that it lives in, or a command, which lives in none. */
export interface Changer {
  actor: string;
  env_id: number | null;
}

const command: Changer = { actor: "command", env_id: null };

export type WorkspaceService = ReturnType<typeof createWorkspaceService>;

export function createWorkspaceService({ store, clock, furnishSandbox, planRose, keysChanged, audit }: Needs) {
  async function addEnvironment(tx: Tx, workspace_id: number, name: string, mode: "live" | "test"): Promise<EnvironmentRow> {
    const now = clock.now();
    // Who takes a number waits for those before: what they have made is seen then.
    const id = await store.nextNumber(tx, "environments", 1);
    const taken = (await store.environmentsIn(tx, workspace_id)).some((environment) => environment.name === name);
    if (taken) throw new AppError("conflict", `There is an environment ${name} already.`);
    const row = { id, public_id: newId("env", now), workspace_id, name, mode, opt_out_replies: 0, created_at: now, updated_at: now };
    await store.insertEnvironment(tx, row);
    if (mode === "test") await furnishSandbox(tx, id);
    return row;
  }

  async function update(tx: Tx, workspace_id: number, after: WorkspaceRow): Promise<void> {
    try {
      await store.updateWorkspace(tx, workspace_id, after);
    } catch (error) {
      if (store.isDuplicate(error)) throw invalidField("name", "taken", "Another workspace has this name.");
      throw error;
    }
  }

  /** What concerns the whole workspace stands in the audit of its live environment, and of the one whose key did it. */
  async function note(tx: Tx, workspace_id: number, by: Changer, entry: Omit<NewAuditEntry, "actor">, also?: number): Promise<void> {
    const live = (await store.environmentsIn(tx, workspace_id)).find(({ mode }) => mode === "live");
    const places = new Set([live?.id, by.env_id, also]);
    for (const env_id of places) if (typeof env_id === "number") audit(tx, env_id, { actor: by.actor, ...entry });
  }

  const noteEnvironment = (tx: Tx, row: EnvironmentRow, by: Changer) =>
    note(
      tx,
      row.workspace_id,
      by,
      { operation: "environments.create", subject: row.public_id, before: null, after: presentEnvironment(row) },
      row.id,
    );

  return {
    /**
     * Makes a workspace with its live environment and a test one named `sandbox`.
     * @throws AppError `conflict` when the name is taken
     */
    async create(tx: Tx, name: string, plan: Plan | null): Promise<{ workspace: WorkspaceRow; environments: EnvironmentRow[] }> {
      const id = await store.nextNumber(tx, "workspaces", 1);
      if ((await store.workspaceNamed(tx, name)) !== undefined) throw new AppError("conflict", `There is a workspace ${name} already.`);
      const now = clock.now();
      const workspace = {
        id,
        public_id: newId("ws", now),
        name,
        plan,
        currency: "USD",
        on_unknown: "fail",
        created_at: now,
        updated_at: now,
      };
      await store.insertWorkspace(tx, workspace);
      const live = await addEnvironment(tx, id, "live", "live");
      const sandbox = await addEnvironment(tx, id, "sandbox", "test");
      const after = presentWorkspace(workspace);
      await note(tx, id, command, { operation: "workspaces.create", subject: after.id, before: null, after });
      for (const environment of [live, sandbox]) await noteEnvironment(tx, environment, command);
      return { workspace, environments: [live, sandbox] };
    },

    /** @returns the workspace as clients see it */
    async get(workspace_id: number): Promise<Workspace> {
      return presentWorkspace(await store.workspace(workspace_id));
    },

    /**
     * Changes what is given; a rise of plan is told to every environment as `subscription.upgraded`.
     * @throws AppError `validation_error` when the name is taken; what `check` throws
     */
    async patch(
      tx: Tx,
      workspace_id: number,
      patch: WorkspacePatch,
      by: Changer = command,
      check: Precondition = unconditional,
    ): Promise<Workspace> {
      const before = await store.lockWorkspace(tx, workspace_id);
      check(presentWorkspace(before));
      const after: WorkspaceRow = { ...before, ...patch, updated_at: clock.now() };
      await update(tx, workspace_id, after);
      const workspace = presentWorkspace(after);
      if (rank(after.plan) > rank(before.plan)) {
        for (const { id } of await store.environmentsIn(tx, workspace_id))
          planRose(tx, id, by.actor, { workspace, previous_plan: before.plan });
      }
      await note(tx, workspace_id, by, {
        operation: "workspace.patch",
        subject: workspace.id,
        before: presentWorkspace(before),
        after: workspace,
      });
      tx.afterCommit(keysChanged);
      return workspace;
    },

    /** The environments of the workspace, oldest first. @throws AppError `validation_error` for a cursor that is not of this list */
    async environments(
      { workspace_id, env_id }: Pick<Principal, "workspace_id" | "env_id">,
      { limit = PAGE_DEFAULT, offset = 0, cursor }: PageQuery,
    ): Promise<Page<Environment>> {
      const after = cursor === undefined ? null : decodeNumberCursor("environments", env_id, cursor);
      const rows = await store.environmentPage(workspace_id, after, offset, limit + 1);
      const total = await store.countEnvironments(workspace_id);
      const ask = { list: "environments", env_id, limit, offset };
      return toPage(rows, ask, { total, capped: false }, presentEnvironment, (row) => String(row.id));
    },

    /** All environments of a workspace, oldest first: for the command line. */
    async allEnvironments(workspace_id: number): Promise<Environment[]> {
      return (await store.environments(workspace_id)).map(presentEnvironment);
    },

    /**
     * Makes a further test environment, with its sandbox account.
     * @throws AppError `conflict` when the workspace has one of this name
     */
    async createEnvironment(tx: Tx, workspace_id: number, { name }: NewEnvironment, by: Changer = command): Promise<Environment> {
      const row = await addEnvironment(tx, workspace_id, name, "test");
      await noteEnvironment(tx, row, by);
      return presentEnvironment(row);
    },

    /** @throws AppError `not_found` for another than the key's own */
    async environment({ env_id }: Pick<Principal, "env_id">, id: string): Promise<Environment> {
      return presentEnvironment(checkOwn(await store.environment(null, env_id), id));
    },

    /**
     * Changes what is given of the key's own environment.
     * @throws AppError `not_found` for another one; what `check` throws
     */
    async patchEnvironment(
      tx: Tx,
      { env_id, key_id: actor }: Pick<Principal, "env_id" | "key_id">,
      id: string,
      { opt_out_replies }: EnvironmentPatch,
      check: Precondition,
    ): Promise<Environment> {
      const row = checkOwn(await store.environment(tx, env_id), id);
      const before = presentEnvironment(row);
      check(before);
      const change = opt_out_replies === undefined ? {} : { opt_out_replies: opt_out_replies ? 1 : 0 };
      const changed = { ...row, ...change, updated_at: clock.now() };
      await store.updateEnvironment(tx, env_id, changed);
      const after = presentEnvironment(changed);
      await note(tx, row.workspace_id, { actor, env_id }, { operation: "environments.patch", subject: id, before, after });
      return after;
    },

    all: () => store.workspaces(),
    rows: (workspace_id: number) => store.environments(workspace_id),
    named: (name: string) => store.workspaceNamed(null, name),
    /** What to do with a send whose outcome is not known. */
    onUnknown: (tx: Tx, env_id: number) => store.onUnknown(tx, env_id),
    /** Whether a person's own STOP counts. */
    hearsReplies: (tx: Tx, env_id: number) => store.hearsReplies(tx, env_id),
  };
}

/** An environment's settings are for its own keys. */
function checkOwn(row: EnvironmentRow, id: string): EnvironmentRow {
  if (row.public_id !== id) throw notFound("environment");
  return row;
}

function rank(plan: string | null): number {
  return plan === null ? 0 : planLimits[plan as Plan];
}

function presentWorkspace(row: WorkspaceRow): Workspace {
  return {
    id: row.public_id,
    name: row.name,
    plan: row.plan as Plan | null,
    currency: row.currency,
    on_unknown: row.on_unknown as Workspace["on_unknown"],
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}

function presentEnvironment(row: EnvironmentRow): Environment {
  return {
    id: row.public_id,
    name: row.name,
    mode: row.mode as Environment["mode"],
    opt_out_replies: row.opt_out_replies === 1,
    created_at: toTime(row.created_at),
    updated_at: toTime(row.updated_at),
  };
}
