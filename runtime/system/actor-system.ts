/**
 * The root of a company of actors: makes threads, supervises them, knows who is alive, and ends them in order.
 * Lives on the thread that creates it; the actors it spawns live on threads of their own.
 */
import type { AnyActor } from '../actor/actor-cell.ts';
import type { ActorStats } from '../actor/behaviour.ts';
import type { Blueprint } from '../blueprint.ts';
import { LoadBoard, type LoadReading } from '../board/load-board.ts';
import { type DeadLetter, DeadLetters } from '../dead-letters.ts';
import { TroupeError } from '../errors.ts';
import type { Protocol } from '../protocol.ts';
import { ActorRef, type RefEnvironment } from '../ref/actor-ref.ts';
import { createRefEnvironment } from '../ref/environment.ts';
import type { RoutingPolicyName } from '../routing/routing-policy.ts';
import { type ActorStatus, Group, type GroupEvents, type GroupSpec } from '../supervision/group.ts';
import type { Incarnation } from '../supervision/incarnation.ts';
import { LocalIncarnation } from '../supervision/local-incarnation.ts';
import { DEFAULT_RESTART_POLICY, type RestartPolicy } from '../supervision/restart-policy.ts';
import { SharedArena } from '../tensors/arena.ts';
import { SharedTensorCache } from '../tensors/tensor-cache.ts';
import { ThreadIncarnation } from '../thread/thread-incarnation.ts';
import { Events } from '../util/events.ts';

export const DEFAULT_STOP_GRACE_MS = 10_000;
/** As many as Linux gives a process threads by default. What is not used of the 2 MiB is never committed. */
const BOARD_SLOTS = 32_768;

export interface ActorSystemOptions {
  /** Arenas of shared memory for tensors, bytes by name. Memory is taken from the OS as it is used. */
  readonly arenas?: Readonly<Record<string, number>>;
  /** Caches of tensors that all actors share, by name: the arena that the tensors lie in, and most bytes kept. */
  readonly caches?: Readonly<Record<string, { readonly arena: string; readonly bytes: number }>>;
  /** How long a stopping actor may finish what it does. Default 10,000 ms. */
  readonly stopGraceMs?: number;
}

export interface SpawnOptions {
  /** Unique in the system; members are called `name/0`, `name/1`… */
  readonly name: string;
  /** Number of members. Default 1. */
  readonly size?: number;
  /** How a ref chooses among members with room. Default `least-loaded`. */
  readonly routing?: RoutingPolicyName;
  readonly restart?: Partial<RestartPolicy>;
}

/** A pool that has a name and a ref, and can be started. */
export interface DeclaredPool<P extends Protocol, Args> {
  readonly ref: ActorRef<P>;
  /** Resolves when all members are up; rejects with what a setup threw. To be called once. */
  start(args: Args | ((index: number) => Args)): Promise<void>;
}

export interface SystemEvents {
  'actor:up': [{ readonly actor: string }];
  'actor:down': [{ readonly actor: string; readonly error: Error | undefined }];
  'actor:restarting': [{ readonly actor: string; readonly attempt: number; readonly pauseMs: number }];
  'actor:escalated': [{ readonly actor: string; readonly error: Error }];
  'actor:quarantined': [{ readonly actor: string }];
  'dead-letter': [DeadLetter];
}

export interface StopReport {
  /** Actors that did not stop within the grace; their threads were left behind. */
  readonly quarantined: readonly string[];
}

export class ActorSystem implements AsyncDisposable {
  readonly events = new Events<SystemEvents>();
  readonly deadLetters = new DeadLetters();
  readonly #board = LoadBoard.create(BOARD_SLOTS);
  readonly #arenas: ReadonlyMap<string, SharedArena>;
  readonly #caches: ReadonlyMap<string, SharedTensorCache>;
  readonly #environment: RefEnvironment;
  readonly #graceMs: number;
  readonly #groups = new Map<string, Group>();
  #nextHolder = 1;
  #stopped: Promise<StopReport> | undefined;

  constructor(options: ActorSystemOptions = {}) {
    this.#graceMs = options.stopGraceMs ?? DEFAULT_STOP_GRACE_MS;
    this.#environment = createRefEnvironment(this.#board, this.deadLetters);
    this.#arenas = new Map(
      Object.entries(options.arenas ?? {}).map(([name, bytes]) => [
        name,
        SharedArena.create({ name, bytes }),
      ]),
    );
    this.#caches = new Map(
      Object.entries(options.caches ?? {}).map(([name, { arena, bytes }]) => [
        name,
        SharedTensorCache.create(this.#arena(arena), { name, bytes, holder: this.#nextHolder++ }),
      ]),
    );
    this.deadLetters.subscribe((letter) => this.events.emit('dead-letter', letter));
  }

  /**
   * Names a pool of actors, each to be on a thread of its own, before it is started: its ref can be given to
   * others already, and what they send waits. So pools that know each other can start together.
   */
  declare<P extends Protocol, Args>(
    blueprint: Blueprint<P, Args>,
    options: SpawnOptions,
  ): DeclaredPool<P, Args> {
    const board = this.#board.handle();
    const arenas = this.arenas.map((arena) => arena.handle());
    const caches = this.caches.map((cache) => cache.handle());
    const { module } = blueprint;
    return this.#declare(options, 'thread', (name, args) => {
      const boot = {
        name,
        module,
        args,
        arenas,
        caches,
        board,
        holder: this.#nextHolder++,
        boardSlot: this.#board.claim(),
      };
      return new ThreadIncarnation(boot, this.deadLetters);
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
        arenas: this.#arenas,
        caches: this.#caches,
        revive: this.#environment.revive,
      });
    });
    await pool.start(args);
    return pool.ref;
  }

  /** The arenas that the system was created with. */
  get arenas(): readonly SharedArena[] {
    return [...this.#arenas.values()];
  }

  /** The tensor caches that the system was created with. */
  get caches(): readonly SharedTensorCache[] {
    return [...this.#caches.values()];
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

  /** Statistics of every live actor, by name. */
  async stats(): Promise<Map<string, ActorStats>> {
    const parts = await Promise.all([...this.#groups.values()].map((group) => group.stats()));
    return new Map(parts.flatMap((part) => [...part]));
  }

  /** Runs a named control operation on every live member of a pool; results by actor. */
  async control(pool: string, operation: string): Promise<Map<string, unknown>> {
    return await this.#group(pool).onEach((incarnation) => incarnation.control(operation));
  }

  /** Fault drill: makes an actor (`pool/0`) throw an error that nobody handles. False if it is not up. */
  crash(actor: string, reason = 'crashed on request'): boolean {
    const incarnation = this.#group(actor.slice(0, actor.lastIndexOf('/'))).incarnationOf(actor);
    incarnation?.crash(reason);
    return incarnation !== undefined;
  }

  /** Stops all actors, the youngest pool first. Repeated calls share one stop. */
  stop(): Promise<StopReport> {
    this.#stopped ??= this.#stop();
    return this.#stopped;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  async #stop(): Promise<StopReport> {
    const quarantined: string[] = [];
    for (const group of [...this.#groups.values()].reverse())
      quarantined.push(...(await group.stop(this.#graceMs)));
    return { quarantined };
  }

  #declare<P extends Protocol, Args>(
    options: SpawnOptions,
    transport: GroupSpec['transport'],
    incarnate: (member: string, args: Args) => Incarnation,
  ): DeclaredPool<P, Args> {
    const { name, size = 1, routing = 'least-loaded' } = options;
    if (this.#stopped !== undefined)
      throw new TroupeError('the system is stopped', { code: 'SYSTEM_STOPPED' });
    if (this.#groups.has(name)) throw new TroupeError(`there is a pool "${name}"`, { code: 'NAME_TAKEN' });
    const restart = { ...DEFAULT_RESTART_POLICY, ...options.restart };
    const group = new Group({ name, size, routing, restart, transport }, this.#groupEvents());
    this.#groups.set(name, group);
    const ref = new ActorRef<P>(group.token(), this.#environment);
    const start = async (args: Args | ((index: number) => Args)) => {
      try {
        await group.start((member, index) => incarnate(member, argsOf(args, index)), this.#graceMs);
        await ref.connected;
      } catch (error) {
        this.#groups.delete(name);
        throw error;
      }
    };
    return { ref, start };
  }

  #groupEvents(): GroupEvents {
    return {
      onUp: (actor) => this.events.emit('actor:up', { actor }),
      onDown: (actor, incarnation, exit) => {
        this.#reclaim(incarnation);
        const error = exit.kind === 'crashed' ? exit.error : undefined;
        this.events.emit('actor:down', { actor, error });
      },
      onRestarting: (actor, attempt, pauseMs) =>
        this.events.emit('actor:restarting', { actor, attempt, pauseMs }),
      onEscalated: (actor, error) => this.events.emit('actor:escalated', { actor, error }),
      onQuarantined: (actor) => this.events.emit('actor:quarantined', { actor }),
    };
  }

  /** What the dead cannot give back themselves. */
  #reclaim(incarnation: Incarnation): void {
    const { threadId, holder } = incarnation;
    // Caches first: what they let go of goes back to the arenas.
    for (const cache of this.#caches.values()) {
      if (threadId !== undefined) cache.threadDied(threadId);
      cache.releaseClaims(holder);
    }
    for (const arena of this.#arenas.values()) {
      if (threadId !== undefined) arena.threadDied(threadId);
      arena.releaseAll(holder);
    }
    this.#board.free(incarnation.boardSlot);
  }

  #arena(name: string): SharedArena {
    const arena = this.#arenas.get(name);
    if (arena === undefined) throw new TroupeError(`there is no arena "${name}"`, { code: 'ARENA_UNKNOWN' });
    return arena;
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
