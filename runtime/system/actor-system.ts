/**
 * The root of a company of actors: makes threads, supervises them, knows who is alive, and ends them in order.
 * Lives on the thread that creates it; the actors it spawns live on threads of their own.
 */
import type { AnyActor } from '../actor/actor-cell.ts';
import type { ActorStats } from '../actor/behaviour.ts';
import type { Blueprint } from '../blueprint.ts';
import { LoadBoard, type LoadReading } from '../board/load-board.ts';
import type { PulseLimits } from '../board/pulse.ts';
import { DeadLetters } from '../dead-letters.ts';
import { TroupeError } from '../errors.ts';
import type { Protocol } from '../protocol.ts';
import { ActorRef } from '../ref/actor-ref.ts';
import { createRefEnvironment, type RefEnvironment } from '../ref/environment.ts';
import { RefCore } from '../ref/ref-core.ts';
import { type ActorStatus, Group, type GroupEvents, type GroupSpec } from '../supervision/group.ts';
import type { Incarnation } from '../supervision/incarnation.ts';
import { LocalIncarnation } from '../supervision/local-incarnation.ts';
import { DEFAULT_PULSE_LIMITS, Watchdog } from '../supervision/watchdog.ts';
import type { SharedArena } from '../tensors/arena.ts';
import type { SharedTensorCache } from '../tensors/tensor-cache.ts';
import { ThreadIncarnation, threadEntry } from '../thread/thread-incarnation.ts';
import { Events } from '../util/events.ts';
import { groupSpec, wholeNumber } from './group-spec.ts';
import { SharedMemory } from './shared-memory.ts';
import { stopInTurn } from './stop-in-turn.ts';
import type { SystemEvents } from './system-events.ts';
import type { ActorSystemOptions, DeclaredPool, SpawnOptions } from './system-options.ts';

export const DEFAULT_STOP_GRACE_MS = 10_000;
/** Each is a thread with a heap of its own: a machine that has room for more of them has room for several processes. 256 KiB. */
const BOARD_SLOTS = 4_096;

/** How a stop went. */
export interface StopReport {
  /** Actors that did not stop within the grace; their threads were left behind. */
  readonly quarantined: readonly string[];
}

/**
 * The root of a company of actors: makes their threads, supervises them and ends them in order. It keeps the process
 * alive until it is stopped.
 *
 * @example
 * ```ts
 * import { ActorSystem, ask, blueprint, protocol } from 'troupe/runtime';
 *
 * const counting = protocol('counter', { add: ask<number, number>() });
 * const counter = blueprint<typeof counting, { start: number }>(counting, import.meta.url, './counter-actor');
 *
 * await using system = new ActorSystem();
 * const ref = await system.spawn(counter, { start: 0 }, { name: 'counter', size: 2 });
 * console.log(await ref.ask('add', 2, { deadlineMs: 1_000 }));
 * ```
 */
export class ActorSystem implements AsyncDisposable {
  /** The life of the actors. */
  readonly events = new Events<SystemEvents>();
  /** Messages of all threads that reached nobody. */
  readonly deadLetters = new DeadLetters();
  readonly #board = LoadBoard.create(BOARD_SLOTS);
  readonly #memory: SharedMemory;
  readonly #environment: RefEnvironment;
  readonly #graceMs: number;
  readonly #limits: PulseLimits;
  readonly #watchdog: Watchdog;
  readonly #watched = new Map<number, ThreadIncarnation>();
  readonly #groups = new Map<string, Group>();
  /** Those whose threads have not ended, whatever has become of the actors. */
  readonly #threads = new Set<ThreadIncarnation>();
  /** Names of those that hang in native code. */
  readonly #left = new Map<Incarnation, string>();
  #nextHolder = 1;
  #stopped: Promise<StopReport> | undefined;

  /** Makes a system without actors; `spawn` adds them. @throws RangeError for sizes that make no sense; TroupeError `ARENA_UNKNOWN` for a cache in no arena */
  constructor(options: ActorSystemOptions = {}) {
    this.#graceMs = options.stopGraceMs ?? DEFAULT_STOP_GRACE_MS;
    this.#limits = { ...DEFAULT_PULSE_LIMITS, ...options.watchdog };
    this.#watchdog = new Watchdog(this.#limits, ({ name, pulse }) =>
      this.events.emit('actor:hung', { actor: name, work: pulse.work }),
    );
    this.#environment = createRefEnvironment(this.#board, this.deadLetters);
    this.#memory = new SharedMemory(options, () => this.#nextHolder++);
    this.deadLetters.subscribe((letter) => this.events.emit('dead-letter', letter));
  }

  /**
   * Names a pool of actors, each to be on a thread of its own, before it is started: its ref can be given to
   * others already, and what they send waits. So pools that know each other can start together.
   *
   * @throws TroupeError `BUNDLED` when the actor's module, or our own, is not where it should be
   */
  declare<P extends Protocol, Args>(
    blueprint: Blueprint<P, Args>,
    options: SpawnOptions,
  ): DeclaredPool<P, Args> {
    const { module } = blueprint;
    threadEntry(); // said at once, and not when a thread is to start
    return this.#declare(options, 'thread', (name, args) => {
      const boot = {
        name,
        module,
        args,
        // Not kept: a stopped system that somebody still has must not have the memory too.
        arenas: this.arenas.map((arena) => arena.handle()),
        caches: this.caches.map((cache) => cache.handle()),
        board: this.#board.handle(),
        holder: this.#nextHolder++,
        boardSlot: this.#board.claim(),
        limits: this.#limits,
      };
      return this.#watch(
        new ThreadIncarnation(
          boot,
          this.#board.pulseReader(boot.boardSlot),
          this.deadLetters,
          options.thread,
        ),
      );
    });
  }

  /**
   * Starts a pool of actors, each on a thread of its own. Resolves when all are up; rejects with what a setup
   * threw. `args` may hold refs; a function gives each member its own.
   */
  async spawn<P extends Protocol, Args>(
    blueprint: Blueprint<P, Args>,
    args: Args | ((index: number) => Args),
    options: SpawnOptions,
  ): Promise<ActorRef<P>> {
    const pool = this.declare(blueprint, options);
    await pool.start(args);
    return pool.ref;
  }

  /** Like `spawn`, on this thread. */
  async spawnLocal<P extends Protocol, Args>(
    actor: AnyActor & { readonly blueprint: Blueprint<P, Args> },
    args: Args | ((index: number) => Args),
    options: SpawnOptions,
  ): Promise<ActorRef<P>> {
    const pool = this.#declare<P, Args>(options, 'local', (name, memberArgs) => {
      const boardSlot = this.#board.claim();
      return new LocalIncarnation(actor, memberArgs, boardSlot, {
        name,
        holder: this.#nextHolder++,
        load: this.#board.writer(boardSlot),
        deadLetters: this.deadLetters,
        arenas: this.#memory.arenas,
        caches: this.#memory.caches,
        revive: this.#environment.revive,
      });
    });
    await pool.start(args);
    return pool.ref;
  }

  /** The arenas that the system was created with. */
  get arenas(): readonly SharedArena[] {
    return [...this.#memory.arenas.values()];
  }

  /** The tensor caches that the system was created with. */
  get caches(): readonly SharedTensorCache[] {
    return [...this.#memory.caches.values()];
  }

  /** Threads of actors that hung in native code and have not come out of it: each takes a core and its memory. */
  get leftBehind(): number {
    return this.#left.size;
  }

  /** Every actor ever spawned, with its state. */
  status(): ActorStatus[] {
    return [...this.#groups.values()].flatMap((group) => group.status());
  }

  /** What every live actor last published of its load: read from shared memory, so nobody is asked. */
  loads(): Map<string, LoadReading> {
    const live = [...this.#groups.values()].flatMap((group) => group.live());
    return new Map(live.map(([name, { boardSlot }]) => [name, this.#board.read(boardSlot)]));
  }

  /** How long threads have not turned, ms, of those that have not for a while. */
  silences(): Map<string, number> {
    const silent = [...this.#watched.values()].map(
      (actor) => [actor.name, this.#watchdog.silentMs(actor)] as const,
    );
    return new Map(silent.filter(([, ms]) => ms > 0));
  }

  /** Statistics of every live actor, by name. */
  async stats(): Promise<Map<string, ActorStats>> {
    const parts = await Promise.all([...this.#groups.values()].map((group) => group.stats()));
    return new Map(parts.flatMap((part) => [...part]));
  }

  /** Runs a named control operation on every live member of a pool; results by actor. */
  async control(pool: string, operation: string): Promise<Map<string, unknown>> {
    return await this.#group(pool).onEach((incarnation) => incarnation.control(operation));
  }

  /** The last crash of an actor (`pool/0`) was not its own fault: it does not count towards giving it up. */
  forgive(actor: string): void {
    this.#group(poolOf(actor)).forgive(actor);
  }

  /** Fault drill: makes an actor (`pool/0`) throw an error that nobody handles. False if it is not up. */
  crash(actor: string, reason = 'crashed on request'): boolean {
    const incarnation = this.#group(poolOf(actor)).incarnationOf(actor);
    incarnation?.crash(reason);
    return incarnation !== undefined;
  }

  /**
   * Nobody waits for the actors any more: those that start and hang in JavaScript are ended after so many ms. Native code is
   * waited for.
   */
  hurry(mostMs: number): void {
    this.#watchdog.hurry(mostMs);
  }

  /** Stops one pool, whatever it is used by; its name may be used again. @throws TroupeError `POOL_UNKNOWN` */
  async stopPool(pool: string): Promise<StopReport> {
    const group = this.#group(pool);
    const quarantined = await group.stop(this.#graceMs);
    if (this.#groups.get(pool) === group) this.#groups.delete(pool);
    return { quarantined };
  }

  /**
   * Gives every member of a pool a fresh start, one after another, with the arguments of the first. Handlers in progress end
   * before; what waits is served by the others, or after. Rejects with what a setup threw; that member is tried again as
   * after a crash. @throws TroupeError `POOL_UNKNOWN`
   */
  async restartPool(pool: string): Promise<void> {
    await this.#group(pool).restart(this.#graceMs);
  }

  /**
   * Makes a pool larger or smaller. The last members go: handlers in progress end, what waits is served by the others; a
   * stream that waits fails with `ACTOR_STOPPED`. Rejects with what a setup threw; then nothing has changed.
   * @throws TroupeError `POOL_UNKNOWN`, `OPTION_INVALID`
   */
  async resizePool(pool: string, size: number): Promise<StopReport> {
    wholeNumber('size', size, 1);
    return { quarantined: await this.#group(pool).resize(size, this.#graceMs) };
  }

  /**
   * Stops all actors, the youngest pool first, within one grace: a pool is asked to when the one before has ended, or has
   * had its part of the grace. Repeated calls share one stop.
   */
  stop(): Promise<StopReport> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  /** Stops the system at the end of an `await using` block. */
  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<StopReport> {
    const quarantined: string[] = [];
    for (const names of await stopInTurn([...this.#groups.values()].reverse(), this.#graceMs))
      quarantined.push(...names);
    // A thread that was left behind may still write into a tensor.
    if (this.#threads.size === 0) this.#memory.retire();
    return { quarantined: [...new Set([...quarantined, ...this.#left.values()])] };
  }

  #declare<P extends Protocol, Args>(
    options: SpawnOptions,
    transport: GroupSpec['transport'],
    incarnate: (member: string, args: Args) => Incarnation,
  ): DeclaredPool<P, Args> {
    const { name } = options;
    if (this.#stopped !== undefined)
      throw new TroupeError('the system is stopped', { code: 'SYSTEM_STOPPED' });
    if (this.#groups.get(name)?.isOver === false)
      throw new TroupeError(`there is a pool "${name}"`, { code: 'NAME_TAKEN' });
    const group = new Group(groupSpec(options, transport), this.#groupEvents());
    this.#groups.set(name, group);
    const ref = new ActorRef<P>(new RefCore(group.token(), this.#environment));
    const start = async (args: Args | ((index: number) => Args)) => {
      try {
        await group.start((member, index) => incarnate(member, argsOf(args, index)), this.#graceMs);
        await ref.connected;
      } catch (error) {
        if (this.#groups.get(name) === group) this.#groups.delete(name);
        throw error;
      }
    };
    return { ref, start };
  }

  #groupEvents(): GroupEvents {
    return {
      onUp: (actor) => this.events.emit('actor:up', { actor }),
      onDown: (actor, incarnation, exit) => {
        this.#watched.delete(incarnation.boardSlot);
        if (exit.kind === 'left') this.#leaveBehind(actor, incarnation);
        else this.#reclaim(incarnation);
        const error = exit.kind === 'stopped' ? undefined : exit.error;
        this.events.emit('actor:down', { actor, error });
      },
      onRestarting: (actor, attempt, pauseMs) =>
        this.events.emit('actor:restarting', { actor, attempt, pauseMs }),
      onEscalated: (actor, error) => this.events.emit('actor:escalated', { actor, error }),
      onQuarantined: (actor) => this.events.emit('actor:quarantined', { actor }),
    };
  }

  #watch(incarnation: ThreadIncarnation): ThreadIncarnation {
    this.#threads.add(incarnation);
    void incarnation.ended.then(() => this.#threads.delete(incarnation));
    this.#watched.set(incarnation.boardSlot, incarnation);
    this.#watchdog.watch(incarnation);
    void incarnation.exited.then(() => this.#watchdog.forget(incarnation));
    return incarnation;
  }

  /**
   * Its thread is inside native code, which may read and write the tensors that it holds: they are taken back when it
   * ends. What it was making for others is made by them.
   */
  #leaveBehind(actor: string, incarnation: Incarnation): void {
    const { holder } = incarnation;
    this.#memory.releaseClaims(incarnation);
    this.#environment.readers.lost(holder);
    for (const other of this.#watched.values()) other.lost(holder);
    this.#left.set(incarnation, actor);
    void incarnation.ended.then(() => {
      this.#left.delete(incarnation);
      this.#reclaim(incarnation);
    });
    this.events.emit('actor:quarantined', { actor });
  }

  #reclaim(incarnation: Incarnation): void {
    this.#memory.reclaim(incarnation);
    this.#board.free(incarnation.boardSlot);
  }

  #group(name: string): Group {
    const group = this.#groups.get(name);
    if (group === undefined) throw new TroupeError(`there is no pool "${name}"`, { code: 'POOL_UNKNOWN' });
    return group;
  }
}

function argsOf<Args>(args: Args | ((index: number) => Args), index: number): Args {
  // Arguments are data for another thread, so a function can only be the way to make them.
  return typeof args === 'function' ? (args as (index: number) => Args)(index) : args;
}

function poolOf(actor: string): string {
  return actor.slice(0, actor.lastIndexOf('/'));
}
