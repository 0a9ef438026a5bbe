import { isIP } from "node:net";
import ipaddr from "ipaddr.js";

const RESERVED = "a reserved address";
const TUNNEL = "an address that stands for another one";

/** By what the library calls them; end the sentence "… is …". Of the others `unicast` alone may be dialled. */
const KINDS: Readonly<Record<string, string>> = {
  unspecified: "an address of this machine",
  loopback: "a loopback address",
  private: "a private address",
  uniqueLocal: "a private address",
  carrierGradeNat: "a private address of a provider",
  linkLocal: "a link-local address, where clouds keep their metadata",
  deprecatedSiteLocal: "a private address",
  multicast: "an address of a group",
  broadcast: "an address of a group",
  discard: "an address that leads nowhere",
  rfc6145: TUNNEL,
  "6to4": TUNNEL,
  teredo: TUNNEL,
};

const EVERYTHING_GIVEN_OUT = ipaddr.IPv6.parseCIDR("2000::/3");
const NAT64 = ipaddr.IPv6.parseCIDR("64:ff9b::/96");

/**
 * Why an address may not be dialled. Only what IANA gives out to the whole internet may
 * (https://www.iana.org/assignments/iana-ipv4-special-registry, https://www.iana.org/assignments/iana-ipv6-special-registry).
 * An IPv4 address that is written as an IPv6 one, or reached through NAT64, is judged as itself; older tunnels are refused.
 * @param text as node:net knows addresses, without brackets: of a second spelling nobody could say where it leads
 * @returns null when it may be, else what it is: "a private address"
 */
export function refusalOf(text: string): string | null {
  if (isIP(text) === 0 || text.includes("%")) return "no address that is known";
  const address = ipaddr.parse(text);
  return address instanceof ipaddr.IPv4 ? kindOf(address.range()) : refusalOfIPv6(address);
}

function refusalOfIPv6(address: ipaddr.IPv6): string | null {
  if (address.isIPv4MappedAddress()) return kindOf(address.toIPv4Address().range());
  if (address.match(NAT64)) return kindOf(new ipaddr.IPv4(address.toByteArray().slice(12)).range());
  const kind = kindOf(address.range());
  return kind === null && !address.match(EVERYTHING_GIVEN_OUT) ? RESERVED : kind;
}

function kindOf(range: string): string | null {
  return range === "unicast" ? null : (KINDS[range] ?? RESERVED);
}
