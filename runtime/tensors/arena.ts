/**
 * An arena of shared memory for big tensors: every thread reads and writes them in place, and messages carry
 * only their records (`shared-tensor.ts`).
 *
 * Tensors belong to *holders*, which are int32 numbers above zero: one for each incarnation of an actor. Who
 * allocates a tensor holds it; whoever is sent one and wants to keep it retains it; when the last hold is
 * released the memory is free, and every record of the tensor is stale. Holds outlive a thread that dies, so
 * whoever supervises it calls `threadDied` and `releaseAll`. Garbage collection plays no part.
 *
 * The memory is described in `arena-layout.ts`, `block-map.ts` and `hold-table.ts`; a `SharedLock` guards it.
 */
import {
  type ArenaHandle,
  type ArenaOptions,
  type ArenaTables,
  arenaTables,
  createArenaMemory,
  FREED,
  LOCK,
} from './arena-layout.ts';
import { repairArena } from './arena-repair.ts';
import { ArenaSpace } from './arena-space.ts';
import { type ArenaStats, arenaStats } from './arena-stats.ts';
import { BlockMap } from './block-map.ts';
import { ChangeSignal } from './change-signal.ts';
import { HoldTable } from './hold-table.ts';
import { giveMemory } from './idle-memory.ts';
import { SharedLock } from './shared-lock.ts';
import type { SharedTensor } from './shared-tensor.ts';
import { arenaRetired, tensorForeign, tensorHoldsExhausted, tensorReleased } from './tensor-errors.ts';
import { type TensorType, type TensorViews, viewMemory } from './tensor-type.ts';
import { WaitLine } from './wait-line.ts';

export type { ArenaHandle, ArenaOptions } from './arena-layout.ts';
export type { ArenaStats } from './arena-stats.ts';

/** An arena of shared memory for tensors, the same on every thread; an actor gets it from `context.arena`. */
export class SharedArena {
  readonly #tables: ArenaTables;
  readonly #lock: SharedLock;
  readonly #freed: ChangeSignal;
  readonly #holds: HoldTable;
  readonly #blocks: BlockMap;
  readonly #space: ArenaSpace;
  readonly #line: WaitLine;
  #handle: ArenaHandle;
  #retired = false;
  /** Of a retired arena whose memory is another's by now, and must not be written. */
  #lastStats: ArenaStats | undefined;

  private constructor(handle: ArenaHandle) {
    this.#handle = handle;
    this.#tables = arenaTables(handle);
    this.#lock = new SharedLock(this.#tables.header, LOCK);
    this.#freed = new ChangeSignal(this.#tables.header, FREED, 'the wait for room in an arena');
    this.#holds = new HoldTable(this.#tables);
    this.#blocks = new BlockMap(this.#tables);
    this.#space = new ArenaSpace(handle, this.#tables, this.#holds, this.#blocks);
    this.#line = new WaitLine(this.#tables);
  }

  /**
   * Throws a `RangeError` for sizes that make no sense. Pages are committed by the system when first used.
   * @internal
   */
  static create(options: ArenaOptions): SharedArena {
    const arena = new SharedArena(createArenaMemory(options));
    repairArena(arena.#tables, arena.#holds, arena.#blocks);
    return arena;
  }

  /** The same arena on another thread. @internal */
  static attach(handle: ArenaHandle): SharedArena {
    return new SharedArena(handle);
  }

  /** Name that the system was given for it. */
  get name(): string {
    return this.#handle.name;
  }

  /** Plain data and shared memory: send it to another thread and `attach` there. @internal */
  handle(): ArenaHandle {
    return this.#handle;
  }

  /**
   * A tensor held once by `holder`, its content whatever was there before; `undefined` when there is no room
   * now, be it for want of a free run of blocks or of a free row in the tables. Throws `TENSOR_TOO_LARGE`, and
   * `SYSTEM_STOPPED` when the arena is retired.
   */
  tryAllocate<Type extends TensorType>(
    type: Type,
    shape: readonly number[],
    holder: number,
  ): SharedTensor<Type> | undefined {
    checkHolder(holder);
    if (this.#retired) throw arenaRetired(this.name);
    this.#space.checkFits(type, [shape]);
    this.#lock.lock();
    try {
      return this.#space.take(type, shape, holder);
    } finally {
      this.#lock.unlock();
    }
  }

  /**
   * Like `tryAllocate`, but waits until there is room. Rejects with the `ABORTED` ActorError. Waiters are not
   * served in order: a small tensor that fits may overtake a large one.
   */
  async allocate<Type extends TensorType>(
    type: Type,
    shape: readonly number[],
    holder: number,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<SharedTensor<Type>> {
    for (;;) {
      const version = this.#freed.version;
      const tensor = options.signal?.aborted ? undefined : this.tryAllocate(type, shape, holder);
      if (tensor !== undefined) return tensor;
      await this.#freed.changed(version, options.signal);
    }
  }

  /**
   * Several tensors at once or none of them, first come, first served among all who call this, on whatever thread: who
   * holds some tensors while he waits for more can wait for others who do the same. Rejects like `allocate`, and with
   * `TENSOR_TOO_LARGE` when there is less than that in the whole arena. What is free in pieces may not do.
   */
  async allocateAll<Type extends TensorType>(
    type: Type,
    shapes: readonly (readonly number[])[],
    holder: number,
    options: { readonly signal?: AbortSignal } = {},
  ): Promise<SharedTensor<Type>[]> {
    checkHolder(holder);
    this.#space.checkFits(type, shapes);
    let ticket: number | undefined;
    try {
      for (;;) {
        if (this.#retired) throw arenaRetired(this.name);
        const version = this.#freed.version;
        this.#lock.lock();
        try {
          ticket ??= this.#line.enter(holder);
          const taken = this.#line.isFirst(ticket) ? this.#space.takeAll(type, shapes, holder) : undefined;
          if (taken !== undefined) return taken;
        } finally {
          this.#lock.unlock();
        }
        await this.#freed.changed(version, options.signal);
      }
    } finally {
      if (ticket !== undefined) this.#leave(ticket);
    }
  }

  /** Adds a hold; counted when `holder` has one. Throws `TENSOR_RELEASED` or `TENSOR_HOLDS_EXHAUSTED`. */
  retain(tensor: SharedTensor, holder: number): void {
    checkHolder(holder);
    if (this.#lastStats !== undefined) throw tensorReleased(tensor);
    this.#lock.lock();
    try {
      this.#checkFresh(tensor);
      if (!this.#holds.retain(tensor.entry, holder))
        throw tensorHoldsExhausted(this.name, this.#handle.holds);
    } finally {
      this.#lock.unlock();
    }
  }

  /** Takes back one hold. False, and nothing done, when `holder` has none or the record is stale. */
  release(tensor: SharedTensor, holder: number): boolean {
    if (this.#lastStats !== undefined) return false;
    this.#lock.lock();
    try {
      if (!this.#isFresh(tensor) || !this.#holds.release(tensor.entry, holder)) return false;
      this.#space.freeIfUnheld(tensor.entry);
    } finally {
      this.#lock.unlock();
    }
    this.#freed.announce();
    return true;
  }

  /** Drops every hold of a holder that is no more. Returns how many tensors it held. */
  releaseAll(holder: number): number {
    checkHolder(holder);
    if (this.#lastStats !== undefined) return 0;
    let dropped = 0;
    this.#lock.lock();
    try {
      this.#line.leaveAll(holder);
      let row = this.#holds.releaseNext(holder, 1);
      while (row !== 0) {
        dropped += 1;
        this.#space.freeIfUnheld(this.#holds.entryOf(row));
        row = this.#holds.releaseNext(holder, row + 1);
      }
    } finally {
      this.#lock.unlock();
    }
    this.#freed.announce();
    return dropped;
  }

  /**
   * To be called when a worker has exited, with the `threadId` that it had when alive, before `releaseAll`. A
   * thread killed in the middle of a change still owns the lock: then the tables are repaired and true is
   * returned.
   * @internal
   */
  threadDied(threadId: number): boolean {
    if (this.#lastStats !== undefined || !this.#lock.takeOver(threadId)) return false;
    try {
      repairArena(this.#tables, this.#holds, this.#blocks);
    } finally {
      this.#lock.unlock();
    }
    this.#freed.announce();
    return true;
  }

  /**
   * Ends the arena on the thread that created it, once no other thread has it. No tensor is taken any more; when none
   * is held either, the memory goes to the next arena of the same size.
   */
  retire(): void {
    if (this.#retired) return;
    this.#retired = true;
    const stats = this.stats();
    if (stats.tensors === 0) {
      const { data, tables } = this.#handle;
      this.#lastStats = stats;
      this.#handle = { ...this.#handle, data: new SharedArrayBuffer(0), tables: new SharedArrayBuffer(0) };
      giveMemory(data);
      giveMemory(tables);
    }
    this.#freed.announce();
  }

  /**
   * The tensor's memory, in place. Throws `TENSOR_RELEASED` when it is stale now; that it stays fresh while the
   * view is used is what a hold is for.
   */
  view<Type extends TensorType>(tensor: SharedTensor<Type>): TensorViews[Type] {
    this.#checkFresh(tensor);
    return viewMemory(tensor.type, this.#handle.data, tensor.byteOffset, tensor.byteLength);
  }

  /** What it holds now. */
  stats(): ArenaStats {
    if (this.#lastStats !== undefined) return this.#lastStats;
    this.#lock.lock();
    try {
      return arenaStats(this.#handle, this.#tables);
    } finally {
      this.#lock.unlock();
    }
  }

  /** Whoever is first now may find room. */
  #leave(ticket: number): void {
    if (this.#lastStats !== undefined) return;
    this.#lock.lock();
    try {
      this.#line.leave(ticket);
    } finally {
      this.#lock.unlock();
    }
    this.#freed.announce();
  }

  #isFresh(tensor: SharedTensor): boolean {
    if (tensor.arena !== this.name) throw tensorForeign(tensor, this.name);
    return this.#lastStats === undefined && this.#holds.generationOf(tensor.entry) === tensor.generation;
  }

  #checkFresh(tensor: SharedTensor): void {
    if (!this.#isFresh(tensor)) throw tensorReleased(tensor);
  }
}

function checkHolder(holder: number): void {
  if (!Number.isInteger(holder) || holder <= 0 || holder > 0x7fffffff) {
    throw new RangeError(`a holder is an int32 above 0, got ${holder}`);
  }
}
