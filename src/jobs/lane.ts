import type { Job, Limit } from "./job.ts";
import { createPace, type Pace, UNLIMITED } from "./pacing.ts";

/** Jobs of one lane that are kept in memory, however long its queue is; more are read when `low` are left. */
interface Window {
  most: number;
  low: number;
}
/** While chats wait for their next second: enough that as many others are among them as the fastest lane needs. */
const PACED: Window = { most: 128, low: 96 };
const UNPACED: Window = { most: 32, low: 16 };
/** Of one chat: a flood to one recipient leaves room for the others. */
const CHAT_JOBS_MAX = 2;
/** Pages that are read at once; a flood to one chat is read over page by page, and everybody else waits meanwhile. */
const PAGES_MAX = 4;
const IDLE_CHATS_MAX = 512;

/** A place in a lane's queue. */
export interface Place {
  run_at: number;
  id: string;
}

interface Chat {
  pace: Pace;
  running: boolean;
  /** Nothing before this time (ms). */
  heldUntil: number;
  /** How many of its jobs are in the lane's memory. */
  kept: number;
  /** The first of its jobs that was read over and left in the database. */
  spilledFrom: Place | null;
}

/** Reads a lane's waiting jobs after a place (null: from the start), oldest first, due or not. */
export interface LaneReader {
  after(lane: Lane, place: Place | null, most: number): Job[] | Promise<Job[]>;
  ofChat(lane: Lane, chat: string, from: Place, to: Place, most: number): Job[] | Promise<Job[]>;
}

/** How fast a lane may go, and one chat of it, as its jobs' kinds tell. */
export interface LaneLimits {
  lane(job: Job): readonly Limit[];
  chat(job: Job): readonly Limit[];
  /** How many may run at a time. */
  running(job: Job): number;
}

/** One lane's window on its queue: what is next, and when. The truth is in the database. */
export class Lane {
  paused = false;
  heldUntil = 0;
  /** When there can be something to take next (ms), as the loop found last; 0 to look now. */
  sleepUntil = 0;
  /** Jobs past the cursor may be due. */
  #more = true;
  #cursor: Place | null = null;
  #nextDue = Number.POSITIVE_INFINITY;
  #jobs: Job[] = [];
  #known = new Set<string>();
  #taken = new Set<string>();
  #chats = new Map<string, Chat>();
  #starved: string[] = [];
  #pace: Pace | undefined;
  #runningMax = Number.POSITIVE_INFINITY;

  constructor(
    readonly env_id: number,
    readonly name: string,
    private readonly limits: LaneLimits,
  ) {}

  /** How many of its jobs were taken and have not left. */
  get inFlight(): number {
    return this.#taken.size;
  }

  /** Whether the job was taken from this window, and not from one of the same lane before that was lost and won again. */
  hasTaken(job: Job): boolean {
    return this.#taken.has(job.id);
  }

  get buffered(): number {
    return this.#jobs.length;
  }

  /** A job was put into the queue by this process, as a rule behind everything that was read. */
  added(place: Place, now: number): void {
    // It was committed after a later one, or the wall clock went back.
    if (this.#cursor !== null && isBefore(place, this.#cursor)) this.rescan();
    else if (place.run_at <= now) this.#more = true;
    else this.#nextDue = Math.min(this.#nextDue, place.run_at);
  }

  /** Somebody else may have put a job anywhere: read from the start again. */
  rescan(): void {
    this.#cursor = null;
    this.#more = true;
    this.#starved = [];
    for (const chat of this.#chats.values()) chat.spilledFrom = null;
  }

  /** Reads what there is room for. */
  async readAhead(reader: LaneReader, now: number): Promise<void> {
    if (this.#nextDue <= now) this.#more = true;
    await this.#refillChats(reader);
    for (let pages = 0; this.#hasRoom() && pages < PAGES_MAX; pages++) await this.#readPage(reader, now);
    if (this.#chats.size > IDLE_CHATS_MAX) this.#forgetIdleChats(now);
  }

  /** More is waiting, and there is room for it. */
  #hasRoom(): boolean {
    return this.#more && this.#jobs.length < this.#window.low;
  }

  get #window(): Window {
    return this.#pace === undefined || this.#pace === UNLIMITED ? UNPACED : PACED;
  }

  async #readPage(reader: LaneReader, now: number): Promise<void> {
    const from = this.#cursor;
    const most = this.#window.most - this.#jobs.length;
    // Before the read, since what is added while PostgreSQL answers sets them again.
    this.#more = false;
    this.#nextDue = Number.POSITIVE_INFINITY;
    const page = await this.#orAgain(reader.after(this, from, most));
    // A rescan that came meanwhile makes this page an old one.
    if (this.#cursor !== from) return;
    for (const job of page) {
      if (job.run_at > now) {
        this.#nextDue = Math.min(this.#nextDue, job.run_at);
        return;
      }
      this.#cursor = { run_at: job.run_at, id: job.id };
      if (!this.#known.has(job.id)) this.#keep(job);
    }
    this.#more ||= page.length === most;
  }

  /** What could not be read is still there. */
  async #orAgain(reading: Job[] | Promise<Job[]>): Promise<Job[]> {
    try {
      return await reading;
    } catch (error) {
      this.#more = true;
      throw error;
    }
  }

  #keep(job: Job): void {
    const chat = job.chat === null ? undefined : this.#chat(job);
    if (chat !== undefined && (chat.spilledFrom !== null || chat.kept >= CHAT_JOBS_MAX)) {
      chat.spilledFrom ??= { run_at: job.run_at, id: job.id };
      return;
    }
    this.#insert(job);
  }

  #insert(job: Job): void {
    this.#known.add(job.id);
    if (job.chat !== null) this.#chat(job).kept++;
    let at = this.#jobs.length;
    while (at > 0 && isBefore(job, this.#jobs[at - 1]!)) at--;
    this.#jobs.splice(at, 0, job);
  }

  async #refillChats(reader: LaneReader): Promise<void> {
    for (let name = this.#starved[0]; name !== undefined; name = this.#starved[0]) {
      await this.#refillChat(name, reader);
      // Only now: when the reading fails, it is done again; and a rescan has forgotten them all.
      if (this.#starved[0] === name) this.#starved.shift();
    }
  }

  async #refillChat(name: string, reader: LaneReader): Promise<void> {
    const chat = this.#chats.get(name);
    if (chat === undefined || chat.spilledFrom === null || this.#cursor === null) return;
    const from = chat.spilledFrom;
    const jobs = await reader.ofChat(this, name, from, this.#cursor, CHAT_JOBS_MAX + 1);
    if (chat.spilledFrom !== from) return;
    const rest = jobs[CHAT_JOBS_MAX];
    chat.spilledFrom = rest === undefined ? null : { run_at: rest.run_at, id: rest.id };
    for (const job of jobs.slice(0, CHAT_JOBS_MAX)) if (!this.#known.has(job.id)) this.#insert(job);
  }

  /** Takes the next job that may run now; it counts as running until `finished` or `putBack`. */
  take(now: number): Job | undefined {
    if (this.paused || this.heldUntil > now || this.#jobs.length === 0) return undefined;
    if (this.inFlight >= this.#runningMax) return undefined;
    if (this.#pace !== undefined && this.#pace.openAt() > now) return undefined;
    const at = this.#jobs.findIndex((job) => this.#chatOpenAt(job) <= now);
    if (at === -1) return undefined;
    const job = at === 0 ? this.#jobs.shift()! : this.#jobs.splice(at, 1)[0]!;
    this.#begin(job);
    return job;
  }

  #begin(job: Job): void {
    this.#taken.add(job.id);
    if (this.#pace === undefined) {
      this.#pace = createPace(this.limits.lane(job));
      this.#runningMax = this.limits.running(job);
    }
    this.#pace.reserve();
    if (job.chat === null) return;
    const chat = this.#chat(job);
    chat.running = true;
    chat.pace.reserve();
  }

  /** The job is about to be on the wire: from here its lane's pace counts. */
  dispatched(_job: Job, now: number): void {
    this.#pace!.used(now);
  }

  /** The job left the wire and the queue. */
  finished(job: Job, now: number): void {
    this.#taken.delete(job.id);
    this.#known.delete(job.id);
    this.#leaveChat(job, (pace) => pace.used(now));
  }

  /** The job was taken and is gone from the queue without having been on the wire. */
  dropped(job: Job): void {
    this.#taken.delete(job.id);
    this.#pace!.unused();
    this.#known.delete(job.id);
    this.#leaveChat(job, (pace) => pace.unused());
  }

  /** The job goes back to its place. @param wasDispatched whether it had been on the wire */
  putBack(job: Job, now: number, wasDispatched: boolean): void {
    if (wasDispatched) this.finished(job, now);
    else this.dropped(job);
    this.#insert(job);
  }

  /** Nothing to this job's chat before this time (ms). */
  holdChat(job: Job, until: number): void {
    if (job.chat !== null) this.#chat(job).heldUntil = until;
  }

  #leaveChat(job: Job, leave: (pace: Pace) => void): void {
    if (job.chat === null) return;
    const chat = this.#chat(job);
    chat.running = false;
    chat.kept--;
    leave(chat.pace);
    if (chat.kept > 0) return;
    if (chat.spilledFrom !== null) this.#starved.push(job.chat);
    else if (chat.pace === UNLIMITED) this.#chats.delete(job.chat);
  }

  /** @returns when `take` can succeed next (ms); Infinity when only an event can change that */
  nextAt(now: number): number {
    if (this.paused) return Number.POSITIVE_INFINITY;
    if (this.heldUntil > now) return this.heldUntil;
    if (this.inFlight >= this.#runningMax) return Number.POSITIVE_INFINITY;
    if (this.#hasRoom() || this.#starved.length > 0) return now;
    const ready = this.#jobs.reduce((soonest, job) => Math.min(soonest, this.#chatOpenAt(job)), this.#nextDue);
    return Math.max(ready, this.#jobs.length > 0 ? (this.#pace?.openAt() ?? 0) : 0);
  }

  #chatOpenAt(job: Job): number {
    if (job.chat === null) return 0;
    const chat = this.#chats.get(job.chat);
    if (chat === undefined) return 0;
    return chat.running ? Number.POSITIVE_INFINITY : Math.max(chat.heldUntil, chat.pace.openAt());
  }

  #chat(job: Job): Chat {
    const name = job.chat!;
    let chat = this.#chats.get(name);
    if (chat === undefined) {
      chat = { pace: createPace(this.limits.chat(job)), running: false, heldUntil: 0, kept: 0, spilledFrom: null };
      this.#chats.set(name, chat);
    }
    return chat;
  }

  #forgetIdleChats(now: number): void {
    for (const [name, chat] of this.#chats)
      if (chat.kept === 0 && chat.spilledFrom === null && chat.heldUntil <= now && chat.pace.isIdle(now)) this.#chats.delete(name);
  }
}

function isBefore(a: Place, b: Place): boolean {
  return a.run_at < b.run_at || (a.run_at === b.run_at && a.id < b.id);
}
