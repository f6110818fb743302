/**
 * A pool of like actors under one name, whose refs hear of its members by its feed (`feed.ts`). The supervisor
 * of its children: a crashed one is restarted, and when the last one has given up the group is closed, so that
 * nobody waits for an answer that cannot come.
 */
import type { ActorStats } from '../actor/behaviour.ts';
import { ActorError, didNotStop, diedError, stoppedError, TroupeError } from '../errors.ts';
import type { OwnRefToken } from '../ref/own-ref.ts';
import type { PoolFacts, RefToken } from '../ref/ref-token.ts';
import { InProcessTransport } from '../transport/in-process.ts';
import { Child, type ChildEvents, type ChildState } from './child.ts';
import { Feed, type FeedSource } from './feed.ts';
import { beginInOrder, type EndTurn, stopInOrder } from './first-and-others.ts';
import type { Exit, Incarnation } from './incarnation.ts';
import type { RestartPolicy } from './restart-policy.ts';

/** A pool as it was asked for. */
export interface GroupSpec extends PoolFacts {
  readonly restart: RestartPolicy;
}

/** What one incarnation is given to begin with. */
export interface Beginning {
  readonly name: string;
  /** Of the member in its pool. */
  readonly index: number;
  /** From which its ref to itself is made. */
  readonly self: OwnRefToken;
  /** What the incarnation before handed over. */
  readonly inherited: unknown;
}

export type Incarnate = (beginning: Beginning) => Incarnation;

export interface GroupEvents {
  onUp(actor: string): void;
  onDown(actor: string, incarnation: Incarnation, exit: Exit): void;
  onRestarting(actor: string, attempt: number, pauseMs: number): void;
  onEscalated(actor: string, error: Error): void;
  onQuarantined(actor: string, incarnation: Incarnation, error: Error): void;
  onEnded(actor: string, incarnation: Incarnation, exit: Exit): void;
}

/** An actor and its state. */
export interface ActorStatus {
  /** `pool/0` */
  readonly name: string;
  /** Where it is in its life. */
  readonly state: ChildState;
  /** Times it was started again after a crash. */
  readonly restarts: number;
}

export class Group implements FeedSource {
  readonly name: string;
  readonly #spec: GroupSpec;
  readonly #events: GroupEvents;
  #children: readonly Child[] = [];
  /** Those that end what they are at, and belong to the pool no more. */
  readonly #leaving = new Map<Child, Promise<unknown>>();
  /** Why children were given up. */
  readonly #failures = new WeakMap<Child, Error>();
  #members: readonly string[];
  #incarnate: Incarnate | undefined;
  /** From now on nobody joins it: a stop knows whom it has to end. */
  #isStopping = false;
  readonly #feed: Feed;
  /** All members have threads, or will never have. */
  readonly #made = Promise.withResolvers<void>();

  constructor(spec: GroupSpec, events: GroupEvents) {
    this.name = spec.name;
    this.#spec = spec;
    this.#members = spec.members;
    this.#events = events;
    this.#feed = new Feed(spec.transport, this);
  }

  /** Names of all members, up or not. */
  get members(): readonly string[] {
    return this.#members;
  }

  /**
   * Starts all members together, once the thread of the first runs. If one cannot start, the others are stopped and its error is
   * thrown.
   * @throws ActorError `ACTOR_STOPPED` when it was told to stop before
   */
  async start(incarnate: Incarnate, graceMs: number): Promise<void> {
    if (this.#isStopping) throw stoppedError(this.name);
    this.#incarnate = incarnate;
    this.#children = this.#spec.members.map((name, index) => this.#child(incarnate, name, index));
    const starts = await beginInOrder(this.#children);
    this.#made.resolve();
    const failure = await firstFailure(starts);
    if (failure === undefined) return;
    await this.stop(graceMs);
    throw failure.error;
  }

  /** The threads of all members run, or are over. */
  get begun(): Promise<void> {
    return this.#made.promise
      .then(() => Promise.all(this.#children.map(({ begun }) => begun)))
      .then(() => {});
  }

  /** All members have stopped; only their threads may be left. */
  get quiet(): Promise<void> {
    return Promise.all([...this.#children, ...this.#leaving.keys()].map(({ quiet }) => quiet)).then(() => {});
  }

  /** Whether its name may be used again. */
  get isOver(): boolean {
    return this.#feed.isClosed;
  }

  /** Resolves when it is stopped or given up. */
  get over(): Promise<void> {
    return this.#feed.over;
  }

  /** Renews the members one after another: those that wait are served by the others meanwhile. */
  async restart(graceMs: number): Promise<void> {
    this.#started();
    for (const child of this.#children) await child.renew(graceMs);
  }

  /**
   * Adds members, or stops the last ones when they have done what they are at; what waits in their mailboxes is served by
   * the others. If one cannot start, the pool stays as it was and its error is thrown.
   */
  async resize(size: number, graceMs: number): Promise<string[]> {
    const names = memberNames(this.name, size);
    // Refs know members by their names: one that leaves is down before another comes under its name.
    const sameNamed = [...this.#leaving].filter(([{ name }]) => names.includes(name));
    if (sameNamed.length > 0) await Promise.all(sameNamed.map(([, stop]) => stop));
    const incarnate = this.#started();
    // By their names: of several that were added at a time, one in the middle may have failed.
    const [wanted, there] = [new Set(names), new Set(this.#members)];
    const added = names
      .map((name, index) => ({ name, index }))
      .filter(({ name }) => !there.has(name))
      .map(({ name, index }) => this.#child(incarnate, name, index));
    const leaving = this.#children.filter(({ name }) => !wanted.has(name));
    const staying = this.#children.filter(({ name }) => wanted.has(name));
    this.#setMembers(names, [...staying, ...added]);
    const failure = await firstFailure(added.map((child) => child.start()));
    if (failure !== undefined) {
      const before = this.#children.filter((child) => !added.includes(child));
      this.#setMembers(
        before.map(({ name }) => name),
        before,
      );
      this.#closeIfGivenUp();
      await Promise.all(added.map((child) => child.stop(graceMs)));
      throw failure.error;
    }
    const stops = leaving.map((child) => {
      const stop = child.stop(graceMs, 'served elsewhere');
      this.#leaving.set(child, stop);
      return stop;
    });
    const ends = await Promise.all(stops);
    for (const child of leaving) this.#leaving.delete(child);
    this.#closeIfGivenUp();
    return leaving.filter((_, index) => ends[index] === 'quarantined').map(({ name }) => name);
  }

  /** A token from which a ref on the system's own thread is made. */
  token(): RefToken {
    const [mine, theirs] = InProcessTransport.pair();
    this.#feed.subscribe(mine);
    return { ...this.#facts, feed: theirs };
  }

  /** From which an actor makes a ref to a member. @param to where that actor lives */
  ownRef(member: string, to: PoolFacts['transport']): OwnRefToken {
    return { facts: { ...this.#facts, only: member }, door: this.#feed.door(to) };
  }

  /** @param run when somebody makes a ref to it for the first time */
  whenWanted(run: () => void): void {
    this.#feed.whenWanted(run);
  }

  get #facts(): PoolFacts {
    const { restart: _, ...facts } = this.#spec;
    return { ...facts, members: this.#members };
  }

  status(): ActorStatus[] {
    return this.#children.map(({ name, state, restarts }) => ({ name, state, restarts }));
  }

  /** The live incarnation of each member that has one. */
  live(): [string, Incarnation][] {
    return this.#children.flatMap(({ name, incarnation }) =>
      incarnation === undefined ? [] : [[name, incarnation]],
    );
  }

  /** Runs a control call on every live member. A member that dies meanwhile is left out. */
  async onEach<T>(call: (incarnation: Incarnation) => Promise<T>): Promise<Map<string, T>> {
    const results = new Map<string, T>();
    await Promise.all(
      this.#children.map(async (child) => {
        const { incarnation } = child;
        if (incarnation === undefined) return;
        try {
          results.set(child.name, await call(incarnation));
        } catch (error) {
          if (!(error instanceof ActorError && error.code === 'ACTOR_DIED')) throw error;
        }
      }),
    );
    return results;
  }

  stats(): Promise<Map<string, ActorStats>> {
    return this.onEach((incarnation) => incarnation.stats());
  }

  /** The live incarnation of a member. */
  incarnationOf(member: string): Incarnation | undefined {
    return this.#children.find((child) => child.name === member)?.incarnation;
  }

  /** A member's last crash does not count towards giving it up. */
  forgive(member: string): void {
    this.#children.find((child) => child.name === member)?.forgive();
  }

  /**
   * Stops every member. Returns the names of those that did not stop within the grace.
   * @param threads when those may end; the first member's does after the others. Without it each ends by itself
   */
  async stop(graceMs: number, threads?: EndTurn): Promise<string[]> {
    this.#isStopping = true;
    const children = [...this.#children, ...this.#leaving.keys()];
    const ended = await stopInOrder(children, threads, (child, mayEnd) =>
      child.stop(graceMs, 'refused', mayEnd),
    );
    this.#feed.close(stoppedError(this.name));
    return children.filter((_, index) => ended[index] === 'quarantined').map(({ name }) => name);
  }

  #child(incarnate: Incarnate, name: string, index: number): Child {
    const start = (inherited: unknown) => {
      const self = this.ownRef(name, this.#spec.transport);
      try {
        return incarnate({ name, index, self, inherited });
      } catch (error) {
        self.door.close(); // nobody has got it
        throw error;
      }
    };
    return new Child(name, start, this.#spec.restart, this.#childEvents());
  }

  #started(): Incarnate {
    if (this.#incarnate !== undefined && !this.isOver && !this.#isStopping) return this.#incarnate;
    throw new TroupeError(`the pool "${this.name}" is not running`, {
      code: 'POOL_UNKNOWN',
      details: { pool: this.name },
    });
  }

  #setMembers(names: readonly string[], children: readonly Child[]): void {
    this.#members = names;
    this.#children = children;
    this.#feed.membersChanged();
  }

  /**
   * Nobody is to wait for members that will never come. To be asked whenever one is given up, and whenever there are others; those
   * that leave may still answer what they are at.
   */
  #closeIfGivenUp(): void {
    const failures = this.#children.map((child) => this.#failures.get(child));
    const last = failures.at(-1);
    if (last === undefined || failures.includes(undefined) || this.#leaving.size > 0) return;
    this.#feed.close(escalatedError(this.name, last));
  }

  #childEvents(): ChildEvents {
    return {
      onUp: (child, incarnation) => {
        this.#feed.up(child.name, incarnation);
        this.#events.onUp(child.name);
      },
      onDown: (child, incarnation, exit) => {
        this.#feed.down(child.name, exit.kind === 'stopped' ? stoppedError(child.name) : exit.error);
        this.#events.onDown(child.name, incarnation, exit);
      },
      onRestarting: (child, attempt, pauseMs) => this.#events.onRestarting(child.name, attempt, pauseMs),
      onEscalated: (child, error) => {
        this.#events.onEscalated(child.name, error);
        this.#feed.lost(child.name, escalatedError(child.name, error));
        this.#failures.set(child, error);
        this.#closeIfGivenUp();
      },
      onQuarantined: (child, incarnation) => {
        const error = diedError(child.name, didNotStop());
        this.#feed.down(child.name, error);
        this.#events.onQuarantined(child.name, incarnation, error);
      },
      onEnded: (child, incarnation, exit) => this.#events.onEnded(child.name, incarnation, exit),
    };
  }
}

function escalatedError(actor: string, cause: Error): ActorError {
  return new ActorError(`${actor} crashed too often and was given up: ${cause.message}`, {
    code: 'ACTOR_ESCALATED',
    details: { actor },
    cause,
  });
}

/** Names of the members of a pool. */
export function memberNames(pool: string, size: number): string[] {
  return Array.from({ length: size }, (_, index) => `${pool}/${index}`);
}

/** Waits for all. */
async function firstFailure(
  starts: readonly Promise<void>[],
): Promise<{ readonly error: unknown } | undefined> {
  const failed = (await Promise.allSettled(starts)).find((result) => result.status === 'rejected');
  return failed === undefined ? undefined : { error: failed.reason };
}
