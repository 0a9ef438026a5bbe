import { lookup } from "node:dns/promises";
import { isIP } from "node:net";
import type { Clock } from "#src/core/clock.ts";
import { refusalOf } from "./address.ts";

/** All addresses of a name. Rejects, or gives none, when it has none. */
export type Resolve = (name: string) => Promise<readonly string[]>;

/** Where a host leads, judged. */
export interface Finding {
  /** Empty when it does not resolve, and when it is refused. */
  addresses: readonly string[];
  /** What is not dialled: "a private address". A name is refused for any of its addresses. */
  refusal: string | null;
  /** When it was judged (ms). */
  at: number;
}

export interface Resolver {
  /** @param host as in a URL's `hostname`: a name, an IPv4 address or an IPv6 address in brackets */
  find(host: string): Promise<Finding>;
}

const KEPT_MS = 30_000;
const KEPT_MAX = 1_000;

export const systemResolve: Resolve = async (name) => (await lookup(name, { all: true })).map(({ address }) => address);

/** Names that may be dialled are remembered for half a minute; many who ask for one at once share one look-up. */
export function createResolver(clock: Clock, resolve: Resolve, allowPrivate: boolean): Resolver {
  const kept = new Map<string, Finding>();
  const underWay = new Map<string, Promise<Finding>>();

  async function lookUp(name: string): Promise<Finding> {
    // Why a name does not resolve is told by nobody in the same words; that it does not is what counts.
    const addresses = await resolve(name).catch(() => []);
    const finding = judged(addresses);
    underWay.delete(name);
    kept.delete(name);
    if (kept.size >= KEPT_MAX) kept.delete(kept.keys().next().value!);
    if (finding.addresses.length > 0) kept.set(name, finding);
    return finding;
  }

  function judged(addresses: readonly string[]): Finding {
    const refusal = allowPrivate ? null : (addresses.map(refusalOf).find((kind) => kind !== null) ?? null);
    return { addresses: refusal === null ? addresses : [], refusal, at: clock.now() };
  }

  return {
    async find(host) {
      const address = addressIn(host);
      if (address !== null) return judged([address]);
      const known = kept.get(host);
      if (known !== undefined && Math.abs(clock.now() - known.at) < KEPT_MS) return known;
      let asked = underWay.get(host);
      if (asked === undefined) underWay.set(host, (asked = lookUp(host)));
      return asked;
    },
  };
}

/** The address that a URL's host is, without brackets; null where it is a name. */
export function addressIn(host: string): string | null {
  const bare = host.startsWith("[") ? host.slice(1, -1) : host;
  return isIP(bare) === 0 ? null : bare;
}
