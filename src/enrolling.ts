import type { Database } from "#db/database.ts";
import type { Clock } from "#src/core/clock.ts";
import { AppError, invalidField } from "#src/core/errors.ts";
import { unconditional } from "#src/core/etag.ts";
import type { Log } from "#src/core/log.ts";
import type { Maybe, Tx } from "#src/core/tx.ts";
import { createDueLoop } from "#src/jobs/due-loop.ts";
import { createMembership } from "#src/modules/contacts/membership-sql.ts";
import type { ContactInput } from "#src/modules/contacts/model.ts";
import type { ContactService } from "#src/modules/contacts/service.ts";
import type { ContactStore } from "#src/modules/contacts/store.ts";
import type { EventFeed } from "#src/modules/events/feed.ts";
import type { NewEvent } from "#src/modules/events/model.ts";
import type { MessageService } from "#src/modules/messages/service.ts";
import type { createScorer } from "#src/modules/scoring/scorer.ts";
import type { SegmentService } from "#src/modules/segments/service.ts";
import { createDueEnrollments } from "#src/modules/sequences/due-sql.ts";
import { createEnding } from "#src/modules/sequences/ending.ts";
import { createEngine, type People } from "#src/modules/sequences/engine.ts";
import { type Audience, enrollKind } from "#src/modules/sequences/enroll-kind.ts";
import { createEnrollmentStore } from "#src/modules/sequences/enrolled-sql.ts";
import { createEntrance } from "#src/modules/sequences/enrolling.ts";
import { createEnrollmentService } from "#src/modules/sequences/enrollments.ts";
import { createFollowing } from "#src/modules/sequences/following.ts";
import { createHeeding, heededTypes } from "#src/modules/sequences/heeding.ts";
import { createOwning } from "#src/modules/sequences/owning.ts";
import { createPlaceStore } from "#src/modules/sequences/places-sql.ts";
import { createPrograms } from "#src/modules/sequences/program.ts";
import { createReplies } from "#src/modules/sequences/replies.ts";
import type { Sender } from "#src/modules/sequences/sending.ts";
import { createStatistics } from "#src/modules/sequences/statistics.ts";
import { createSequenceStore } from "#src/modules/sequences/store.ts";
import { createTelling } from "#src/modules/sequences/telling.ts";
import type { NewTask, Task, TaskKind } from "#src/modules/tasks/model.ts";

interface Needs {
  db: Database;
  clock: Clock;
  log: Log;
  feed: Pick<EventFeed, "follow" | "after" | "head">;
  contacts: ContactService;
  contactStore: ContactStore;
  segments: SegmentService;
  scoring: Pick<ReturnType<typeof createScorer>, "give">;
  messages: Pick<MessageService, "send" | "takeBack">;
  accounts: Pick<Sender, "accounts" | "reaches">;
  createTask(tx: Tx, env_id: number, task: NewTask): Promise<Task>;
  appendEvent(tx: Tx, env_id: number, event: NewEvent): void;
  /** Goes by the time that an environment has on disk. */
  heed(tx: Tx, env_id: number): Maybe<void>;
}

/** People in sequences: how they enter, what leads them on, and what they leave for. */
export function createEnrolling({ db, clock, log, feed, contacts, contactStore, segments, scoring, messages, ...needs }: Needs) {
  const { appendEvent, accounts, createTask } = needs;
  const store = createEnrollmentStore(db);
  const places = createPlaceStore(db);
  const isMember = createMembership(db);
  const programs = createPrograms(store);
  const telling = createTelling({ clock, sequence: store.sequence, appendEvent });
  const end = createEnding({ store, clock, telling, takeBack: messages.takeBack });
  const wake = () => loop.wake();
  const owning = createOwning({ store, clock, find: contacts.find, end, telling, wake });

  const change = async (tx: Tx, env_id: number, actor: string, id: string, input: ContactInput) =>
    void (await contacts.patch(tx, { env_id, actor }, id, input, unconditional));
  const people: People = {
    find: contacts.find,
    tag: (tx, env_id, actor, { id }, tag) => change(tx, env_id, actor, id, { tags: [tag], tags_mode: "add" }),
    async untag(tx, env_id, actor, { id }, tag) {
      // As they are once nobody else changes them: what was added meanwhile stays.
      const { tags } = await contacts.patch(tx, { env_id, actor }, id, {}, unconditional);
      await change(tx, env_id, actor, id, { tags: tags.filter((one) => one !== tag) });
    },
    setField: (tx, env_id, actor, { id }, field, value) => change(tx, env_id, actor, id, { fields: { [field]: value } }),
    score: (tx, env_id, sequence_id, contact_id, points) =>
      scoring.give(tx, { env_id, actor: sequence_id }, contact_id, sequence_id, points),
  };
  const sender: Sender = {
    ...accounts,
    async send(tx, env_id, actor, ask, origin) {
      const { sent } = await messages.send(tx, { env_id, key_id: actor, account_ids: null }, ask, { origin });
      return sent.id;
    },
  };
  const conditionOf = (env_id: number, of: { segment_id: string } | { filter: Record<string, unknown> }) =>
    "segment_id" in of ? segments.condition(env_id, of.segment_id) : segments.conditionOf(env_id, of.filter);

  const entrance = createEntrance({ store, clock, programs, people, telling, wake });
  const engine = createEngine({
    ...{ store, clock, programs, people, sender, telling, end, owning, places, heed: needs.heed },
    segments: {
      async holds(tx, env_id, of, contact_id) {
        try {
          const condition = await conditionOf(env_id, "segment" in of ? { segment_id: of.segment } : of);
          return await isMember(tx, env_id, condition, contact_id);
        } catch (error) {
          // It was deleted, or names a field that is gone: then it holds nobody.
          if (error instanceof AppError && error.code === "validation_error") return false;
          throw error;
        }
      },
    },
    async enter(tx, env_id, sequence_id, contact_id, actor, tally) {
      await entrance.enter(tx, { env_id, sequence_id, contact_id, actor, isLed: true }, tally);
    },
  });
  const loop = createDueLoop({ name: "sequences", db, clock, log, work: engine });
  const heed = createHeeding({ store, places, clock, programs, entrance, end, owning, wake });
  const following = createFollowing({ places, feed, clock, log, write: db.write, isHeeded: (type) => heededTypes.has(type), heed });

  const page = async (env_id: number, audience: Audience, after: { id: string; number: number } | null, most: number) =>
    contactStore.page(
      env_id,
      "tag" in audience ? audience : { where: await conditionOf(env_id, audience) },
      "created_at",
      after === null ? null : { id: after.id, at: after.number },
      0,
      most,
    );

  return {
    loop,
    following,
    due: createDueEnrollments({ db, places, wake }),
    answered: createReplies({ store, clock, programs, end }),
    kinds: [enrollKind({ store, entrance, page }) as TaskKind],
    statistics: createStatistics({ store, sequences: createSequenceStore(db) }),
    enrollments: createEnrollmentService({
      ...{ store, clock, programs, entrance, end, telling, createTask, wake },
      async checkAudience(tx, env_id, audience) {
        if ("filter" in audience) await segments.checkFilter(tx, env_id, audience.filter);
        if ("segment_id" in audience && !(await segments.has(tx, env_id, audience.segment_id)))
          throw invalidField("segment_id", "not_found", "There is no such segment here.", audience.segment_id);
      },
    }),
  };
}
