/**
 * All that lives and has lived in a system, pool by pool or not: makes incarnations, each with a holder id and a slot of the
 * load board, watches their threads, and takes back what the dead held.
 */
import type { AnyActor } from '../actor/actor-cell.ts';
import { LoadBoard } from '../board/load-board.ts';
import type { PulseLimits } from '../board/pulse.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { ActorError, stoppedError, TroupeError } from '../errors.ts';
import { createRefEnvironment, type RefEnvironment } from '../ref/environment.ts';
import { lazily, type OwnRefToken } from '../ref/own-ref.ts';
import type { Beginning } from '../supervision/group.ts';
import type { Exit, Incarnation } from '../supervision/incarnation.ts';
import { LocalIncarnation } from '../supervision/local-incarnation.ts';
import { DEFAULT_PULSE_LIMITS, Watchdog, type Watched } from '../supervision/watchdog.ts';
import { ThreadIncarnation } from '../thread/thread-incarnation.ts';
import { isErrorNamed, messageOf } from '../util/realms.ts';
import { withDefaults } from '../util/with-defaults.ts';
import { SharedMemory } from './shared-memory.ts';
import type { ActorSystemOptions, ThreadOptions } from './system-options.ts';

/** Each is a thread with a heap of its own: a machine that has room for more of them has room for several processes. 256 KiB. */
const BOARD_SLOTS = 4_096;

export interface FleetEvents {
  /** Its thread has not turned for too long. */
  onHung(watched: Watched): void;
  /** Its thread is inside native code and was left there. */
  onLeft(actor: string): void;
}

/** Makes a way to whoever spawns for an actor. @param to where that actor lives */
export type Doors = (to: 'thread' | 'local') => OwnRefToken;

export class Fleet {
  readonly board = LoadBoard.create(BOARD_SLOTS);
  readonly memory: SharedMemory;
  readonly environment: RefEnvironment;
  readonly watchdog: Watchdog;
  readonly #events: FleetEvents;
  readonly #doorToChildren: Doors;
  readonly #deadLetters: DeadLetters;
  readonly #limits: PulseLimits;
  readonly #watched = new Map<number, ThreadIncarnation>();
  /** Those whose threads have not ended, whatever has become of the actors. */
  readonly #threads = new Set<ThreadIncarnation>();
  /** Names of those that hang in native code. */
  readonly #left = new Map<Incarnation, string>();
  /** There were actors on this thread: one that was abandoned may still publish its load. */
  #hasLocals = false;
  /** Holder ids of incarnations that are not over. */
  readonly #alive = new Set<number>();
  #nextHolder = 1;

  constructor(
    options: ActorSystemOptions,
    deadLetters: DeadLetters,
    events: FleetEvents,
    doorToChildren: Doors,
  ) {
    this.#events = events;
    this.#doorToChildren = doorToChildren;
    this.#deadLetters = deadLetters;
    this.#limits = withDefaults(DEFAULT_PULSE_LIMITS, options.watchdog);
    this.watchdog = new Watchdog(this.#limits, (watched) => events.onHung(watched));
    this.environment = createRefEnvironment(this.board, deadLetters);
    this.memory = new SharedMemory(options, () => this.#nextHolder++);
  }

  /** Names of those that hang in native code. */
  get left(): readonly string[] {
    return [...this.#left.values()];
  }

  /** How long threads have not turned, ms, of those that have not for a while. */
  silences(): Map<string, number> {
    const silent = [...this.#watched.values()].map(
      (actor) => [actor.name, this.watchdog.silentMs(actor)] as const,
    );
    return new Map(silent.filter(([, ms]) => ms > 0));
  }

  /** Whether the incarnation of this holder is not over. */
  isAlive(holder: number): boolean {
    return this.#alive.has(holder);
  }

  /**
   * An incarnation on a thread of its own.
   * @throws TroupeError `LOAD_BOARD_FULL`; ActorError `PROTOCOL_VIOLATION` when the arguments cannot be cloned. Then nothing is taken
   */
  onThread(
    { name, self, inherited }: Beginning,
    module: string,
    args: unknown,
    options: ThreadOptions | undefined,
  ): Incarnation {
    const { arenas, caches } = this.memory;
    const boardSlot = this.board.claim(); // before anything else is taken, for there may be none
    const holder = this.#newHolder();
    const children = this.#doorToChildren('thread');
    const boot = {
      name,
      module,
      args,
      self,
      children,
      inherited,
      // Not kept: a stopped system that somebody still has must not have the memory too.
      arenas: [...arenas.values()].map((arena) => arena.handle()),
      caches: [...caches.values()].map((cache) => cache.handle()),
      board: this.board.handle(),
      holder,
      boardSlot,
      limits: this.#limits,
    };
    const pulse = this.board.pulseReader(boardSlot);
    try {
      return this.#watch(
        new ThreadIncarnation(boot, pulse, this.#deadLetters, this.environment.revive, options),
      );
    } catch (error) {
      // There is no thread, and nobody will ever say that it is over.
      children.door.close();
      this.#alive.delete(holder);
      this.board.free(boardSlot);
      // A RangeError: nested too deeply.
      const isUnsendable = isErrorNamed(error, 'DataCloneError') || isErrorNamed(error, 'RangeError');
      throw isUnsendable ? unsendableArgs(name, error) : error;
    }
  }

  /** An incarnation on this thread. */
  onThisThread({ name, self, inherited }: Beginning, actor: AnyActor, args: unknown): Incarnation {
    const boardSlot = this.board.claim();
    this.#hasLocals = true;
    return new LocalIncarnation(actor, args, boardSlot, {
      name,
      holder: this.#newHolder(),
      load: this.board.writer(boardSlot),
      deadLetters: this.#deadLetters,
      arenas: this.memory.arenas,
      caches: this.memory.caches,
      revive: this.environment.revive,
      self: lazily(() => self, this.environment),
      children: lazily(() => this.#doorToChildren('local'), this.environment),
      inherited,
    });
  }

  /** It is over. What it held is taken back, unless native code may still use it. */
  over(actor: string, incarnation: Incarnation, exit: Exit): void {
    this.#alive.delete(incarnation.holder);
    this.#watched.delete(incarnation.boardSlot);
    const why = exit.kind === 'stopped' ? stoppedError(actor) : exit.error;
    this.#endStreams(incarnation, why, exit.kind === 'left' || incarnation.threadId === undefined);
    if (exit.kind === 'left') this.#leaveBehind(actor, incarnation);
    else this.#reclaim(incarnation);
  }

  /** It did not stop, and nobody talks to it any more. What it writes is over now, if it has no thread whose end would close the ports. */
  quarantined(incarnation: Incarnation, why: Error): void {
    if (incarnation.threadId === undefined) this.#endStreams(incarnation, why, true);
  }

  /** All are over. */
  end(): void {
    // A thread that was left behind may still write into a tensor.
    if (this.#threads.size > 0) return;
    this.memory.retire(this.#hasLocals);
    if (!this.#hasLocals) this.board.retire();
  }

  #newHolder(): number {
    const holder = this.#nextHolder++;
    this.#alive.add(holder);
    return holder;
  }

  #watch(incarnation: ThreadIncarnation): ThreadIncarnation {
    this.#threads.add(incarnation);
    void incarnation.ended.then(() => this.#threads.delete(incarnation));
    this.#watched.set(incarnation.boardSlot, incarnation);
    this.watchdog.watch(incarnation);
    void incarnation.exited.then(() => this.watchdog.forget(incarnation));
    return incarnation;
  }

  /**
   * Its thread is inside native code, which may read and write the tensors that it holds: they are taken back when it
   * ends. What it was making for others is made by them.
   */
  #leaveBehind(actor: string, incarnation: Incarnation): void {
    this.memory.releaseClaims(incarnation);
    this.#left.set(incarnation, actor);
    void incarnation.ended.then(() => {
      this.#left.delete(incarnation);
      this.#reclaim(incarnation);
    });
    this.#events.onLeft(actor);
  }

  /** Readers of its streams, wherever they are, are told. */
  #endStreams({ holder }: Incarnation, why: Error, isLeft: boolean): void {
    this.environment.readers.over(holder, why, isLeft);
    for (const other of this.#watched.values()) other.otherOver(holder, why, isLeft);
  }

  #reclaim(incarnation: Incarnation): void {
    try {
      this.memory.reclaim(incarnation);
    } catch (error) {
      const holder = this.#whoKeepsTheLock(error);
      if (holder === undefined) throw error;
      // It hangs in the middle of a change to the tables, and nobody else can change them. When it has ended they are repaired.
      holder.condemn(TroupeError.is(error) ? error : new Error(messageOf(error)));
      void holder.ended.then(() => this.#reclaim(incarnation));
      return;
    }
    this.board.free(incarnation.boardSlot);
  }

  #whoKeepsTheLock(error: unknown): ThreadIncarnation | undefined {
    if (!TroupeError.is(error) || error.code !== 'LOCK_ABANDONED') return undefined;
    return [...this.#threads].find(({ threadId }) => threadId === error.details.ownerThread);
  }
}

function unsendableArgs(actor: string, cause: Error): ActorError {
  const remedy = 'give what a structured clone carries: no functions, and no buffer that was moved away';
  return new ActorError(`${actor}: its arguments cannot be sent to its thread: ${cause.message}: ${remedy}`, {
    code: 'PROTOCOL_VIOLATION',
    details: { actor, remedy },
    cause,
  });
}
