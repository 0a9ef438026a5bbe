import { type Static, Type } from "@sinclair/typebox";
import { durationPattern } from "#src/core/duration.ts";
import { idPattern } from "#src/core/ids.ts";
import type { Place } from "#src/modules/events/model.ts";

const time = (description: string) => Type.String({ format: "date-time", description, examples: ["2026-05-06T14:32:18.000Z"] });

export const TestClock = Type.Object(
  {
    now: time("The environment's time."),
    offset_ms: Type.Integer({ description: "By how many milliseconds it is ahead of real time." }),
    moving: Type.Union([Type.String({ pattern: idPattern("job") }), Type.Null()], {
      description: "The job that moves it just now: `GET /v1/jobs/{id}` tells how far it is.",
    }),
  },
  { $id: "TestClock" },
);
export type TestClock = Static<typeof TestClock>;

export const AdvanceClock = Type.Object(
  {
    advance: Type.Optional(
      Type.String({
        pattern: durationPattern,
        description: "By how long: a number of seconds, minutes, hours, days of 24 hours or weeks; at most 400 days.",
        examples: ["3d"],
      }),
    ),
    to: Type.Optional(time("To this time, which lies ahead of the environment's and at most 400 days.")),
  },
  { $id: "AdvanceClock", additionalProperties: false },
);
export type AdvanceClock = Static<typeof AdvanceClock>;

/** What attempts at deliveries have come to. */
export interface Deliveries {
  attempts: number;
  delivered: number;
  dead_letters: number;
}

/** What a move is to do. Times are the environment's (ms). */
export interface MoveParams {
  from: number;
  to: number;
  /** The log's end when it began. */
  place: Place;
  /** What the hour in which it began had come to by then. */
  deliveries: Deliveries;
}

/** How far a move has come. */
export interface MoveState {
  from: number;
  /** How often the clock was moved. */
  steps: number;
  /** Where the environment's time stands (ms). */
  at: number;
  /** Events up to here are counted. */
  place: Place;
  events: Record<string, number>;
  deliveries: Deliveries;
}

export const ADVANCE_TASK = "clock.advance";
export const ADVANCE_OPERATION = "clock.advance";
