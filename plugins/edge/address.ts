import { BlockList, isIPv6 } from "node:net";

/**
 * Whose address counts: the peer's, or behind trusted proxies the last address in X-Forwarded-For that none of them has.
 * @param trusted addresses and ranges such as 10.0.0.0/8
 */
export function createAddressReader(trusted: readonly string[]): (request: Request, peer: string) => string {
  if (trusted.length === 0) return (_request, peer) => peer;
  const list = new BlockList();
  for (const range of trusted) {
    const [base = "", bits] = range.split("/");
    const family = isIPv6(base) ? "ipv6" : "ipv4";
    if (bits === undefined) list.addAddress(base, family);
    else list.addSubnet(base, Number(bits), family);
  }
  const isTrusted = (address: string) => list.check(address, isIPv6(address) ? "ipv6" : "ipv4");
  return (request, peer) => {
    const chain = (request.headers.get("x-forwarded-for") ?? "").split(",").map(plain).filter(Boolean);
    let address = plain(peer);
    while (isTrusted(address) && chain.length > 0) address = chain.pop()!;
    return address;
  };
}

/** An IPv4 address that came mapped into IPv6 is that IPv4 address. */
function plain(address: string): string {
  const trimmed = address.trim();
  return trimmed.startsWith("::ffff:") ? trimmed.slice(7) : trimmed;
}
