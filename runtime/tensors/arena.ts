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
  PEAK_BLOCKS,
  TENSORS,
  USED_BLOCKS,
} from './arena-layout.ts';
import { repairArena } from './arena-repair.ts';
import { BlockMap } from './block-map.ts';
import { ChangeSignal } from './change-signal.ts';
import { HoldTable } from './hold-table.ts';
import { giveMemory } from './idle-memory.ts';
import { SharedLock } from './shared-lock.ts';
import type { SharedTensor } from './shared-tensor.ts';
import {
  arenaRetired,
  tensorForeign,
  tensorHoldsExhausted,
  tensorReleased,
  tensorTooLarge,
} from './tensor-errors.ts';
import { type TensorType, type TensorViews, tensorBytes, viewMemory } from './tensor-type.ts';

export type { ArenaHandle, ArenaOptions } from './arena-layout.ts';

export interface ArenaStats {
  readonly name: string;
  readonly capacityBytes: number;
  /** Whole blocks, so at least the sum of the tensors' bytes. */
  readonly usedBytes: number;
  /** Most bytes in use at one time since the arena was created. */
  readonly peakBytes: number;
  readonly tensors: number;
}

export class SharedArena {
  readonly #tables: ArenaTables;
  readonly #lock: SharedLock;
  readonly #freed: ChangeSignal;
  readonly #holds: HoldTable;
  readonly #blocks: BlockMap;
  readonly #capacityBytes: number;
  #handle: ArenaHandle;
  #retired = false;
  /** Of a retired arena whose memory is another's by now, and must not be written. */
  #lastStats: ArenaStats | undefined;

  private constructor(handle: ArenaHandle) {
    this.#handle = handle;
    this.#capacityBytes = handle.data.byteLength;
    this.#tables = arenaTables(handle);
    this.#lock = new SharedLock(this.#tables.header, LOCK);
    this.#freed = new ChangeSignal(this.#tables.header, FREED, 'the wait for room in an arena');
    this.#holds = new HoldTable(this.#tables);
    this.#blocks = new BlockMap(this.#tables);
  }

  /** Throws a `RangeError` for sizes that make no sense. Pages are committed by the system when first used. */
  static create(options: ArenaOptions): SharedArena {
    const arena = new SharedArena(createArenaMemory(options));
    repairArena(arena.#tables, arena.#holds, arena.#blocks);
    return arena;
  }

  /** The same arena on another thread. */
  static attach(handle: ArenaHandle): SharedArena {
    return new SharedArena(handle);
  }

  get name(): string {
    return this.#handle.name;
  }

  /** Plain data and shared memory: send it to another thread and `attach` there. */
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
    const byteLength = tensorBytes(type, shape);
    const { blockBytes, name } = this.#handle;
    if (this.#retired) throw arenaRetired(name);
    const capacity = this.#capacityBytes;
    if (byteLength > capacity) throw tensorTooLarge(name, type, shape, byteLength, capacity);
    const blocks = Math.max(1, Math.ceil(byteLength / blockBytes));
    let firstBlock: number;
    let entry: number;
    let generation: number;
    this.#lock.lock();
    try {
      if (!this.#holds.hasRoom) return undefined;
      firstBlock = this.#blocks.take(blocks);
      if (firstBlock < 0) return undefined;
      entry = this.#holds.open(firstBlock, blocks, holder);
      generation = this.#holds.generationOf(entry);
      this.#count(blocks, 1);
    } finally {
      this.#lock.unlock();
    }
    return {
      kind: 'shared-tensor',
      arena: name,
      type,
      shape: [...shape],
      byteOffset: firstBlock * blockBytes,
      byteLength,
      entry,
      generation,
    };
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
      this.#freeIfUnheld(tensor.entry);
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
      let row = this.#holds.releaseNext(holder, 1);
      while (row !== 0) {
        dropped += 1;
        this.#freeIfUnheld(this.#holds.entryOf(row));
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

  stats(): ArenaStats {
    if (this.#lastStats !== undefined) return this.#lastStats;
    const { blockBytes, name } = this.#handle;
    const header = this.#tables.header;
    this.#lock.lock();
    try {
      return {
        name,
        capacityBytes: this.#capacityBytes,
        usedBytes: (header[USED_BLOCKS] ?? 0) * blockBytes,
        peakBytes: (header[PEAK_BLOCKS] ?? 0) * blockBytes,
        tensors: header[TENSORS] ?? 0,
      };
    } finally {
      this.#lock.unlock();
    }
  }

  #freeIfUnheld(entry: number): void {
    if (this.#holds.isHeld(entry)) return;
    const run = this.#holds.blocksOf(entry);
    this.#holds.close(entry);
    this.#blocks.give(run.first);
    this.#count(-run.count, -1);
  }

  #count(blocks: number, tensors: number): void {
    const header = this.#tables.header;
    const used = (header[USED_BLOCKS] ?? 0) + blocks;
    header[USED_BLOCKS] = used;
    header[TENSORS] = (header[TENSORS] ?? 0) + tensors;
    if (used > (header[PEAK_BLOCKS] ?? 0)) header[PEAK_BLOCKS] = used;
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
