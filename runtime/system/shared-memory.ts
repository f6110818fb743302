/** The arenas and caches that all actors of a system share, and what becomes of them when an actor is gone. */
import { TroupeError } from '../errors.ts';
import type { Incarnation } from '../supervision/incarnation.ts';
import { SharedArena } from '../tensors/arena.ts';
import { giveMemory, takeZeroedMemory } from '../tensors/idle-memory.ts';
import { SharedTensorCache } from '../tensors/tensor-cache.ts';

const BUDGET_BLOCK_BYTES = 64 * 1024;

/** A cache of tensors that all actors share. */
export interface SharedCacheOptions {
  /** Name of one of `arenas`, which the tensors lie in. */
  readonly arena: string;
  /** Most bytes kept; 0 keeps none. */
  readonly bytes: number;
}

/** What the actors of a system share. */
export interface SharedMemoryOptions {
  /** Arenas of shared memory for tensors, bytes by name. Memory is taken from the OS as it is used. */
  readonly arenas?: Readonly<Record<string, number>>;
  /** Arenas that only count, bytes by name: shares of memory that lies elsewhere, in blocks of 64 KiB. */
  readonly budgets?: Readonly<Record<string, number>>;
  /** Caches of tensors, by name. */
  readonly caches?: Readonly<Record<string, SharedCacheOptions>>;
}

export class SharedMemory {
  readonly arenas: ReadonlyMap<string, SharedArena>;
  readonly caches: ReadonlyMap<string, SharedTensorCache>;
  /** Memory of no arena and no cache. */
  readonly #others: SharedArrayBuffer[] = [];

  /** @param nextHolder a holder id of its own for each cache */
  constructor({ arenas = {}, budgets = {}, caches = {} }: SharedMemoryOptions, nextHolder: () => number) {
    const all = [
      ...Object.entries(arenas).map(([name, bytes]) => SharedArena.create({ name, bytes })),
      ...Object.entries(budgets).map(([name, bytes]) =>
        SharedArena.create({ name, bytes, countsOnly: true, blockBytes: BUDGET_BLOCK_BYTES }),
      ),
    ];
    this.arenas = new Map(all.map((arena) => [arena.name, arena]));
    this.caches = new Map(
      Object.entries(caches).map(([name, { arena, bytes }]) => [
        name,
        SharedTensorCache.create(this.#arena(arena), { name, bytes, holder: nextHolder() }),
      ]),
    );
  }

  /** What the dead cannot give back themselves. */
  reclaim({ threadId, holder }: Incarnation): void {
    // Caches first: what they let go of goes back to the arenas.
    for (const cache of this.caches.values()) {
      if (threadId !== undefined) cache.threadDied(threadId);
      cache.releaseClaims(holder);
    }
    for (const arena of this.arenas.values()) {
      if (threadId !== undefined) arena.threadDied(threadId);
      arena.releaseAll(holder);
    }
  }

  /** What it was making for others is made by them; what it holds it keeps. */
  releaseClaims({ holder }: Incarnation): void {
    for (const cache of this.caches.values()) cache.releaseClaims(holder);
  }

  /** Zeroed memory that actors are given in their arguments. */
  take(bytes: number): SharedArrayBuffer {
    const memory = takeZeroedMemory(bytes);
    this.#others.push(memory);
    return memory;
  }

  /**
   * No thread uses it any more, and none will: the next system may have it.
   * @param hasLocals actors of this thread may still have what they were given in their arguments
   */
  retire(hasLocals: boolean): void {
    for (const cache of this.caches.values()) cache.retire();
    for (const arena of this.arenas.values()) arena.retire();
    if (!hasLocals) for (const memory of this.#others) giveMemory(memory);
    this.#others.length = 0;
  }

  #arena(name: string): SharedArena {
    const arena = this.arenas.get(name);
    if (arena === undefined) throw new TroupeError(`there is no arena "${name}"`, { code: 'ARENA_UNKNOWN' });
    return arena;
  }
}
