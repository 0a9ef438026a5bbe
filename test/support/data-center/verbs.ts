import type { Cloud } from "./cloud/cloud.ts";
import { accountVerbs, type AccountVerbs } from "./verbs/accounts.ts";
import { faultVerbs, type FaultVerbs } from "./verbs/faults.ts";
import { groupVerbs, type GroupVerbs } from "./verbs/groups.ts";
import { messageVerbs, type MessageVerbs } from "./verbs/messages.ts";
import { proxyVerbs, type ProxyVerbs } from "./verbs/proxies.ts";

/** What a test can make happen. All arguments and results are plain data, so that the same verbs work over HTTP. */
export interface Verbs extends AccountVerbs, FaultVerbs, GroupVerbs, MessageVerbs, ProxyVerbs {}

export function createVerbs(cloud: Cloud): Verbs {
  return { ...accountVerbs(cloud), ...faultVerbs(cloud), ...groupVerbs(cloud), ...messageVerbs(cloud), ...proxyVerbs(cloud) };
}
