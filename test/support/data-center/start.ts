import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Changes } from "#test/support/bot-api/changes.ts";
import { createCloud, type CallRecord } from "./cloud/cloud.ts";
import type { Standing } from "./cloud/model.ts";
import { createPerform } from "./methods/perform.ts";
import { createVerbs, type Verbs } from "./verbs.ts";
import { listen, type Listener } from "./wire/listener.ts";
import { generateServerKey } from "./wire/server-key.ts";

export interface DataCenterOptions {
  /** Data centres by their number; the first is where clients come first. By default there is the 2 alone. */
  dcIds?: number[];
}

/** Telegram, as a user account's client sees it: one or more data centres on loopback. */
export interface DataCenter extends Verbs {
  main: { id: number; host: string; port: number };
  /** By which clients know that it is Telegram. */
  publicKeyPem: string;
  /** Every call of every client, in order. */
  calls: readonly CallRecord[];
  /** Writes where it is and by which key it is known. @returns the path, which goes into `TELEGRAM_DC_FILE` */
  dcFile(path?: string): string;
  /** How many connections there ever were. */
  connections(): number;
  dropConnections(): void;
  /** Nobody can connect until `comeUp`. */
  goDown(): void;
  comeUp(): void;
  /** Resolves once the condition holds; it is looked at whenever a call is made or a message is sent. */
  waitFor: Changes["waitFor"];
  stop(): Promise<void>;
}

/** Starts Telegram on loopback. */
export async function startDataCenter({ dcIds = [2] }: DataCenterOptions = {}): Promise<DataCenter> {
  const serverKey = generateServerKey();
  let listeners: Listener<Standing>[] = [];
  let closedConnections = 0;
  const cloud = createCloud(() => listeners.flatMap((listener) => listener.sessions()));
  const perform = createPerform(cloud);
  const folders: string[] = [];

  const connections = () => listeners.reduce((sum, listener) => sum + listener.connections(), closedConnections);
  const comeUp = () => {
    listeners = dcIds.map((dcId) => {
      const { keys, ports } = cloud;
      const host = { dcId, serverKey, keys, newStanding: () => ({}), perform: perform(dcId) };
      const listener = listen(host, ports.get(dcId));
      ports.set(dcId, listener.port);
      return listener;
    });
  };
  const goDown = () => {
    closedConnections = connections();
    for (const listener of listeners) listener.stop();
    listeners = [];
  };
  comeUp();
  const id = dcIds[0] ?? 2;
  const main = { id, host: "127.0.0.1", port: cloud.ports.get(id) ?? 0 };
  const verbs = createVerbs(cloud);
  return {
    ...verbs,
    main,
    publicKeyPem: serverKey.publicKeyPem,
    calls: cloud.calls,
    waitFor: cloud.changes.waitFor,
    connections,
    comeUp,
    goDown,
    dropConnections() {
      for (const listener of listeners) listener.dropConnections();
    },
    dcFile(path = join(tempFolder(folders), "data-center.json")) {
      writeFileSync(path, JSON.stringify({ main, public_key_pem: serverKey.publicKeyPem }));
      return path;
    },
    async stop() {
      goDown();
      verbs.stopProxies();
      for (const folder of folders) rmSync(folder, { recursive: true, force: true });
    },
  };
}

function tempFolder(folders: string[]): string {
  const folder = mkdtempSync(join(tmpdir(), "posthouse-data-center-"));
  folders.push(folder);
  return folder;
}
