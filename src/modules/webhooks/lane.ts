/** How the names of endpoints' lanes begin. */
export const LANE_PREFIX = "webhook:";

/** The lane in which an endpoint's deliveries run. */
export function laneOf(webhook_id: string): string {
  return LANE_PREFIX + webhook_id;
}

/** The endpoint whose lane this is. */
export function webhookOf(lane: string): string {
  return lane.slice(LANE_PREFIX.length);
}
