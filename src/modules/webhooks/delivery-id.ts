const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const PAIRS = Array.from({ length: 32 * 32 }, (_, number) => DIGITS[number >> 5]! + DIGITS[number & 31]!);
const TIME_DIGITS = 10;
const TAIL_DIGITS = 6;

/**
 * The id of the delivery of an event to an endpoint. It is made of the two, so that there is one row for them whatever happens, and
 * found without an index. Of the event's id it keeps the time and the count within its millisecond, and so the order; the rest is a
 * hash, which must stay what it is.
 */
export function deliveryId(event_id: string, webhook_id: string): string {
  // Two FNV-1a of 32 bits with different offsets, mixed as MurmurHash3 ends: http://www.isthe.com/chongo/tech/comp/fnv/
  let [a, b] = [0x811c9dc5, 0x01000193];
  for (let at = 0; at < event_id.length; at++) {
    a = Math.imul(a ^ event_id.charCodeAt(at), 0x01000193);
    b = Math.imul(b ^ event_id.charCodeAt(at), 0x5bd1e995);
  }
  for (let at = 0; at < webhook_id.length; at++) {
    a = Math.imul(a ^ webhook_id.charCodeAt(at), 0x01000193);
    b = Math.imul(b ^ webhook_id.charCodeAt(at), 0x5bd1e995);
  }
  a = mix(a);
  b = mix(b ^ a);
  const time = event_id.slice(4, 4 + TIME_DIGITS);
  return `dlv_${time}${event_id.slice(-TAIL_DIGITS)}${pair(a)}${pair(a >>> 10)}${pair(a >>> 20)}${pair(b)}${pair(b >>> 10)}`;
}

const pair = (number: number) => PAIRS[number & 1023]!;

function mix(hash: number): number {
  const half = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  const whole = Math.imul(half ^ (half >>> 13), 0xc2b2ae35);
  return whole ^ (whole >>> 16);
}
