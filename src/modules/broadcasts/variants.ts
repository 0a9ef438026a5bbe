import { createHash } from "node:crypto";
import type { AbTest, BroadcastMessage, Plan } from "./model.ts";

const PARTS = 10_000;

/** Two numbers below 10,000 that are always the same for these. */
function lot(broadcast_id: string, contact_id: string): [number, number] {
  const digest = createHash("sha256").update(`${broadcast_id} ${contact_id}`).digest();
  return [digest.readUInt32BE(0) % PARTS, digest.readUInt32BE(4)];
}

/** Which variant a contact gets; null for who waits until one has won. */
export function variantOf({ ab_test }: Pick<Plan, "ab_test">, broadcast_id: string, contact_id: string): string | null {
  if (ab_test === null) return "";
  const [place, number] = lot(broadcast_id, contact_id);
  if (place >= (ab_test.sample_percent ?? 100) * (PARTS / 100)) return null;
  const total = ab_test.variants.reduce((sum, { weight = 1 }) => sum + weight, 0);
  let left = number % total;
  for (const { name, weight = 1 } of ab_test.variants) {
    if (left < weight) return name;
    left -= weight;
  }
  return ab_test.variants[0]!.name;
}

/** What is said in a variant; in the first where none is named. */
export function messageOf({ message, ab_test }: Plan, variant: string): BroadcastMessage {
  return message ?? (ab_test!.variants.find(({ name }) => name === variant) ?? ab_test!.variants[0]!).message;
}

/** The variant with the largest share of replies, or of those who opened a link; of equals the first. */
export function winnerOf({ variants, winner }: AbTest, counts: readonly { step: string; what: string; n: number }[]): string {
  const sum = (name: string, what: string) =>
    counts.filter((count) => count.step === name && count.what === what).reduce((total, { n }) => total + n, 0);
  const share = (name: string) => sum(name, winner?.metric ?? "replied") / Math.max(1, sum(name, "sent"));
  return variants.map(({ name }) => name).reduce((best, name) => (share(name) > share(best) ? name : best));
}
