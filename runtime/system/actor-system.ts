/**
 * The root of a company of actors: makes threads, supervises them, knows who is alive, and ends them in order.
 * Lives on the thread that creates it; the actors it spawns live on threads of their own.
 */
import type { AnyActor } from '../actor/actor-cell.ts';
import type { ActorStats } from '../actor/behaviour.ts';
import type { Blueprint } from '../blueprint.ts';
import type { LoadReading } from '../board/load-board.ts';
import { DeadLetters } from '../dead-letters.ts';
import { invalidOption, TroupeError } from '../errors.ts';
import type { Protocol } from '../protocol.ts';
import { ActorRef } from '../ref/actor-ref.ts';
import { RefCore } from '../ref/ref-core.ts';
import { type ActorStatus, type Beginning, Group, type GroupSpec } from '../supervision/group.ts';
import type { Incarnation } from '../supervision/incarnation.ts';
import type { SharedArena } from '../tensors/arena.ts';
import type { SharedTensorCache } from '../tensors/tensor-cache.ts';
import { threadEntry } from '../thread/thread-incarnation.ts';
import { Events } from '../util/events.ts';
import { checkSystemOptions } from './check-system-options.ts';
import { Children } from './children.ts';
import { stretch } from './elastic.ts';
import { Fleet } from './fleet.ts';
import { groupSpec, poolSize } from './group-spec.ts';
import { poolEvents } from './pool-events.ts';
import { StartInTurn } from './start-in-turn.ts';
import { stopInTurn } from './stop-in-turn.ts';
import type { SystemEvents } from './system-events.ts';
import type { ActorSystemOptions, DeclaredPool, SpawnOptions } from './system-options.ts';

export const DEFAULT_STOP_GRACE_MS = 10_000;
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
  readonly #graceMs: number;
  readonly #fleet: Fleet;
  readonly #groups = new Map<string, Group>();
  readonly #starting = new StartInTurn();
  readonly #children: Children;
  #stopped: Promise<StopReport> | undefined;

  /** Makes a system without actors; `spawn` adds them. @throws TroupeError `OPTION_INVALID`; `ARENA_UNKNOWN` for a cache in no arena */
  constructor(options: ActorSystemOptions = {}) {
    checkSystemOptions(options);
    this.#graceMs = options.stopGraceMs ?? DEFAULT_STOP_GRACE_MS;
    this.#fleet = new Fleet(
      options,
      this.deadLetters,
      {
        onHung: ({ name, pulse }) => this.events.emit('actor:hung', { actor: name, work: pulse.work }),
        onLeft: (actor) => this.events.emit('actor:quarantined', { actor }),
      },
      (to) => this.#children.door(to),
    );
    this.#children = new Children({
      isAlive: (holder) => this.#fleet.isAlive(holder),
      spawn: async (module, argsOf, spawned) => {
        const pool = this.#onThreads(module, spawned);
        await pool.start(argsOf);
        return pool.ref;
      },
      stopPool: (pool) => this.stopPool(pool),
      incarnate: (beginning, actor) => this.#fleet.onThisThread(beginning, actor, undefined),
    });
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
    if (typeof blueprint?.module !== 'string')
      throw invalidOption('blueprint', blueprint, 'give what `blueprint` made');
    return this.#onThreads(blueprint.module, options);
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
    if (typeof actor?.setup !== 'function')
      throw invalidOption('actor', actor, 'give what `defineActor` made');
    const pool = this.#declare<P, Args>(options, 'local', (beginning, memberArgs) =>
      this.#fleet.onThisThread(beginning, actor, memberArgs),
    );
    await pool.start(args);
    return pool.ref;
  }

  /** The arenas that the system was created with. */
  get arenas(): readonly SharedArena[] {
    return [...this.#fleet.memory.arenas.values()];
  }

  /** The tensor caches that the system was created with. */
  get caches(): readonly SharedTensorCache[] {
    return [...this.#fleet.memory.caches.values()];
  }

  /**
   * Zeroed memory that actors share by their arguments. When the system has stopped, the next one has it: V8 does not count shared
   * memory, so what many systems leave would lie about until something else makes it collect.
   * @internal
   */
  sharedMemory(bytes: number): SharedArrayBuffer {
    return this.#fleet.memory.take(bytes);
  }

  /** Threads of actors that hung in native code and have not come out of it: each takes a core and its memory. */
  get leftBehind(): number {
    return this.#fleet.left.length;
  }

  /** Every actor ever spawned, with its state. */
  status(): ActorStatus[] {
    return [...this.#groups.values()].flatMap((group) => group.status());
  }

  /** What every live actor last published of its load: read from shared memory, so nobody is asked. */
  loads(): Map<string, LoadReading> {
    const live = [...this.#groups.values()].flatMap((group) => group.live());
    const { board } = this.#fleet;
    return new Map(
      live.map(([name, { boardSlot, underWay }]) => [name, board.read(boardSlot, underWay.count)]),
    );
  }

  /** How long threads have not turned, ms, of those that have not for a while. */
  silences(): Map<string, number> {
    return this.#fleet.silences();
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
    this.#fleet.watchdog.hurry(mostMs);
  }

  /** Stops one pool, whatever it is used by; its name may be used again. @throws TroupeError `POOL_UNKNOWN` */
  async stopPool(pool: string): Promise<StopReport> {
    const group = this.#group(pool);
    const quarantined = await group.stop(this.#graceMs);
    if (this.#groups.get(pool) === group) this.#groups.delete(pool);
    return { quarantined: [...quarantined, ...(await this.#children.ended(pool))] };
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
    poolSize('size', size);
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
    await this.#children.stop();
    this.#fleet.end();
    return { quarantined: [...new Set([...quarantined, ...this.#fleet.left])] };
  }

  #onThreads<P extends Protocol, Args>(module: string, options: SpawnOptions): DeclaredPool<P, Args> {
    threadEntry(); // said at once, and not when a thread is to start
    return this.#declare(options, 'thread', (beginning, args) =>
      this.#fleet.onThread(beginning, module, args, options.thread),
    );
  }

  #declare<P extends Protocol, Args>(
    options: SpawnOptions,
    transport: GroupSpec['transport'],
    incarnate: (beginning: Beginning, args: Args) => Incarnation,
  ): DeclaredPool<P, Args> {
    const spec = groupSpec(options, transport);
    const { name } = spec;
    if (this.#stopped !== undefined)
      throw new TroupeError('the system is stopped', { code: 'SYSTEM_STOPPED' });
    if (this.#groups.get(name)?.isOver === false)
      throw new TroupeError(`there is a pool "${name}"`, { code: 'NAME_TAKEN' });
    const group = new Group(spec, poolEvents(this.events, this.#fleet, this.#children));
    this.#groups.set(name, group);
    // Not revived: whoever is told when such a ref is forgotten holds its environment, and that holds the system, and this ref.
    const ref = new ActorRef<P>(new RefCore(group.token(), this.#fleet.environment));
    const start = async (args: Args | ((index: number) => Args)) => {
      try {
        const member = (beginning: Beginning) => incarnate(beginning, argsOf(args, beginning.index));
        await this.#starting.run(group, () => group.start(member, this.#graceMs));
        await ref.connected;
        stretch(group, this.#fleet.board, options, (size, error) =>
          this.events.emit('pool:resized', { pool: name, size, error }),
        );
      } catch (error) {
        if (this.#groups.get(name) === group) this.#groups.delete(name);
        throw error;
      }
    };
    return { ref, start };
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
