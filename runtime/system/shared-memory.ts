/** The arenas and caches that all actors of a system share, and what becomes of them when an actor is gone. */
import { TroupeError } from '../errors.ts';
import type { Incarnation } from '../supervision/incarnation.ts';
import { SharedArena } from '../tensors/arena.ts';
import { SharedTensorCache } from '../tensors/tensor-cache.ts';

export interface SharedMemoryOptions {
  /** Arenas of shared memory for tensors, bytes by name. Memory is taken from the OS as it is used. */
  readonly arenas?: Readonly<Record<string, number>>;
  /** Caches of tensors that all actors share, by name: the arena that the tensors lie in, and most bytes kept. */
  readonly caches?: Readonly<Record<string, { readonly arena: string; readonly bytes: number }>>;
}

export class SharedMemory {
  readonly arenas: ReadonlyMap<string, SharedArena>;
  readonly caches: ReadonlyMap<string, SharedTensorCache>;

  /** @param nextHolder a holder id of its own for each cache */
  constructor({ arenas = {}, caches = {} }: SharedMemoryOptions, nextHolder: () => number) {
    this.arenas = new Map(
      Object.entries(arenas).map(([name, bytes]) => [name, SharedArena.create({ name, bytes })]),
    );
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

  #arena(name: string): SharedArena {
    const arena = this.arenas.get(name);
    if (arena === undefined) throw new TroupeError(`there is no arena "${name}"`, { code: 'ARENA_UNKNOWN' });
    return arena;
  }
}
