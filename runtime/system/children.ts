/**
 * Pools that actors have spawned. Threads are the system's to make, so an actor asks for them: a small actor of the system's
 * own, beside it, does what it is asked for and knows which incarnation each pool belongs to. When that ends, however it
 * ends, its pools are stopped; a new incarnation that spawns them again waits until the old ones have ended.
 */
import type { AnyActor } from '../actor/actor-cell.ts';
import { defineActor } from '../actor/behaviour.ts';
import { DEFAULT_WINDOW } from '../channel/flow-control.ts';
import { invalidOption, stoppedError } from '../errors.ts';
import type { Protocol } from '../protocol.ts';
import type { ActorRef } from '../ref/actor-ref.ts';
import type { OwnRefToken } from '../ref/own-ref.ts';
import { type Beginning, Group } from '../supervision/group.ts';
import type { Incarnation } from '../supervision/incarnation.ts';
import { DEFAULT_RESTART_POLICY } from '../supervision/restart-policy.ts';
import type { StopReport } from './actor-system.ts';
import { childrenActor, type Parent, type SpawnRequest, type StopRequest } from './children-protocol.ts';
import type { SpawnOptions } from './system-options.ts';

/** Whatever is not asked for in one turn is asked for in the next. */
const CONCURRENCY = 1_024;

/** What the system does for them. */
export interface ChildrenOwner {
  /** The incarnation is not over. */
  isAlive(holder: number): boolean;
  spawn(
    module: string,
    argsOf: (index: number) => unknown,
    options: SpawnOptions,
  ): Promise<ActorRef<Protocol>>;
  stopPool(pool: string): Promise<StopReport>;
  /** An incarnation of the actor that this is done by. */
  incarnate(beginning: Beginning, actor: AnyActor): Incarnation;
}

const NAME = 'system';
const MEMBER = `${NAME}/0`;

export class Children {
  readonly #owner: ChildrenOwner;
  /** Pools by the incarnation that has spawned them. */
  readonly #pools = new Map<number, Set<string>>();
  /** Those whose parents are gone, until they have ended. */
  readonly #ending = new Map<string, Promise<StopReport>>();
  #group: Group | undefined;

  constructor(owner: ChildrenOwner) {
    this.#owner = owner;
  }

  /** From which an actor makes its ref to whoever spawns for it. */
  door(to: 'thread' | 'local'): OwnRefToken {
    this.#group ??= this.#begin();
    return this.#group.ownRef(MEMBER, to);
  }

  /** An incarnation is over: so are its pools. */
  orphan(holder: number): void {
    const pools = this.#pools.get(holder);
    this.#pools.delete(holder);
    for (const pool of pools ?? []) this.#end(pool);
  }

  /** Names of those that did not stop, of a pool that has ended. */
  async ended(pool: string): Promise<readonly string[]> {
    const below = [...this.#ending].filter(([name]) => name.startsWith(`${pool}/`));
    const reports = await Promise.all(below.map(([, report]) => report));
    return reports.flatMap(({ quarantined }) => quarantined);
  }

  async stop(): Promise<void> {
    await this.#group?.stop(0);
  }

  async #spawn({ parent, module, args, options }: SpawnRequest): Promise<ActorRef<Protocol>> {
    const name = `${parent.name}/${options.name}`;
    await this.#ending.get(name);
    this.#checkAlive(parent);
    const argsOf = (index: number) => {
      if (!('each' in args)) return args.all;
      if (index < args.each.length) return args.each[index];
      throw invalidOption('size', index + 1, `its parent made arguments for ${args.each.length}`);
    };
    const spawned = this.#owner.spawn(module, argsOf, { ...options, name });
    const pools = this.#poolsOf(parent.holder);
    const isNew = !pools.has(name); // or the name is taken
    pools.add(name);
    try {
      return await spawned;
    } catch (error) {
      if (isNew) pools.delete(name);
      throw error;
    }
  }

  async #stop({ parent, name }: StopRequest): Promise<StopReport> {
    const pool = `${parent.name}/${name}`;
    this.#pools.get(parent.holder)?.delete(pool);
    return await this.#owner.stopPool(pool);
  }

  #poolsOf(holder: number): Set<string> {
    const pools = this.#pools.get(holder) ?? new Set();
    this.#pools.set(holder, pools);
    return pools;
  }

  #checkAlive({ name, holder }: Parent): void {
    if (!this.#owner.isAlive(holder)) throw stoppedError(name);
  }

  #end(pool: string): void {
    const report = this.#owner.stopPool(pool).catch(() => ({ quarantined: [] })); // was stopped, or given up, already
    this.#ending.set(pool, report);
    void report.then(() => this.#ending.delete(pool));
  }

  #actor(): AnyActor {
    return defineActor({
      blueprint: childrenActor,
      concurrency: CONCURRENCY,
      setup: () => ({
        handlers: {
          spawn: (request) => this.#spawn(request),
          stop: (request) => this.#stop(request),
        },
      }),
    });
  }

  #begin(): Group {
    const nobodyHears = () => {};
    const group = new Group(
      {
        name: NAME,
        members: [MEMBER],
        policy: 'least-loaded',
        transport: 'local',
        window: DEFAULT_WINDOW,
        outbox: DEFAULT_WINDOW.messages,
        restart: DEFAULT_RESTART_POLICY,
      },
      {
        onUp: nobodyHears,
        onDown: nobodyHears,
        onRestarting: nobodyHears,
        onEscalated: nobodyHears,
        onQuarantined: nobodyHears,
        onEnded: nobodyHears,
      },
    );
    const actor = this.#actor();
    const start = () => group.start((beginning) => this.#owner.incarnate(beginning, actor), 0);
    // Most systems have no actor that spawns. It cannot start when the system has as many actors as it may have: who asked is
    // told that it has stopped, and actors that come later have another one.
    group.whenWanted(() => {
      start().catch(() => {
        if (this.#group === group) this.#group = undefined;
      });
    });
    return group;
  }
}
