export const clockExample = { now: "2026-05-09T14:32:18.000Z", offset_ms: 259_200_000, moving: null };

export const advanceExample = {
  id: "job_01HKQ9R2X30000000000000000",
  kind: "clock.advance",
  status: "queued",
  progress: { done: 0, total: 259_200 },
  result: null,
  error: null,
  created_at: "2026-05-06T14:32:18.000Z",
  finished_at: null,
};
