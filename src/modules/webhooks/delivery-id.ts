const DIGITS = "0123456789ABCDEFGHJKMNPQRSTVWXYZ";
const HASH_DIGITS = 10;
const TIME_DIGITS = 10;
const TAIL_DIGITS = 6;

/**
 * The id of the delivery of an event to an endpoint. It is made of the two, so that there is one row for them whatever happens, and
 * found without an index. Of the event's id it keeps the time and the count within its millisecond, and so the order.
 */
export function deliveryId(event_id: string, webhook_id: string): string {
  const time = event_id.slice(4, 4 + TIME_DIGITS);
  const tail = event_id.slice(-TAIL_DIGITS);
  const hash = new Bun.CryptoHasher("sha256").update(event_id + webhook_id).digest();
  let digits = "";
  for (let at = 0; at < HASH_DIGITS; at++) digits += DIGITS[hash[at]! & 31]!;
  return `dlv_${time}${tail}${digits}`;
}
