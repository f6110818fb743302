/**
 * A cache of tensors that all threads share: what one actor has made, every other finds. Keys are 256-bit digests
 * of what a tensor was made from; values lie in an arena, held by the cache itself, so that they outlive whoever
 * made them. Bounded in bytes; the least recently used go first.
 *
 * Who misses *claims* the key and makes the tensor; whoever asks for the same key meanwhile, on any thread, waits
 * for it. A claim ends with the tensor, with a failure, or with its claimant's death: those who waited then look
 * again, and the first of them makes it.
 *
 *     empty ──claim──▶ claimed ──keep──▶ has tensor ──evicted, cleared──▶ empty
 *                         └── failed, died ─────────────────────────────▶ empty
 *
 * The memory is described in `tensor-cache-table.ts`; a `SharedLock` guards it. It is taken before the arena's
 * lock, never after it.
 */
import type { SharedArena } from './arena.ts';
import { ChangeSignal } from './change-signal.ts';
import { giveMemory } from './idle-memory.ts';
import { SharedLock } from './shared-lock.ts';
import type { SharedTensor } from './shared-tensor.ts';
import {
  BYTES,
  CHANGED,
  cacheMemory,
  type DigestCells,
  digestCells,
  EVICTIONS,
  HITS,
  headerOnly,
  KEPT,
  LOCK,
  MAX_RANK,
  MISSES,
  TensorCacheTable,
} from './tensor-cache-table.ts';

export interface TensorCacheOptions {
  readonly name: string;
  /** Most bytes of all kept tensors together; 0 turns the cache off: nothing is kept, nobody waits for another. */
  readonly bytes: number;
  /** Its own holder number in the arena. */
  readonly holder: number;
  /** Most tensors at one time, those in the making included. Default 1,024. */
  readonly rows?: number;
}

export interface TensorCacheHandle {
  readonly kind: 'tensor-cache-handle';
  readonly name: string;
  readonly arena: string;
  readonly bytes: number;
  readonly holder: number;
  readonly memory: SharedArrayBuffer;
}

/** How a cache of tensors is used. */
export interface TensorCacheStats {
  /** Name of the cache. */
  readonly name: string;
  /** Times a tensor was found, made before or by somebody who was at it. */
  readonly hits: number;
  /** Times it was not, and had to be made. */
  readonly misses: number;
  /** `hits / (hits + misses)`; 0 before the first. */
  readonly hitRate: number;
  /** Tensors that went to make room. */
  readonly evictions: number;
  /** Tensors kept now. */
  readonly entries: number;
  /** Their bytes. */
  readonly bytes: number;
  /** Most bytes kept. */
  readonly maxBytes: number;
}

const DEFAULT_ROWS = 1024;

/** A cache of tensors that all threads share; an actor gets it from `context.cache`. */
export class SharedTensorCache {
  #handle: TensorCacheHandle;
  readonly #arena: SharedArena;
  #table: TensorCacheTable;
  #lock: SharedLock;
  #changed: ChangeSignal;

  private constructor(handle: TensorCacheHandle, arena: SharedArena) {
    this.#handle = handle;
    this.#arena = arena;
    this.#table = new TensorCacheTable(handle.memory, arena.name);
    this.#lock = new SharedLock(this.#table.header, LOCK);
    this.#changed = changeSignal(this.#table);
  }

  /** @internal */
  static create(arena: SharedArena, options: TensorCacheOptions): SharedTensorCache {
    const { name, bytes, holder, rows = DEFAULT_ROWS } = options;
    for (const [option, value, least] of [['bytes', bytes, 0] as const, ['rows', rows, 1] as const]) {
      if (Number.isSafeInteger(value) && value >= least) continue;
      throw new RangeError(`cache '${name}': ${option} must be a whole number from ${least}, got ${value}`);
    }
    const memory = cacheMemory(rows);
    return new SharedTensorCache(
      { kind: 'tensor-cache-handle', name, arena: arena.name, bytes, holder, memory },
      arena,
    );
  }

  /** The same cache on another thread. @internal */
  static attach(handle: TensorCacheHandle, arena: SharedArena): SharedTensorCache {
    return new SharedTensorCache(handle, arena);
  }

  /** Name that the system was given for it. */
  get name(): string {
    return this.#handle.name;
  }

  /** Plain data and shared memory: send it to another thread and `attach` there. @internal */
  handle(): TensorCacheHandle {
    return this.#handle;
  }

  /** The tensor of a digest if it is kept, held once more by `holder`; counted as a hit. Waits for nobody. */
  find(digest: string, holder: number): SharedTensor | undefined {
    const key = digestCells(digest);
    return this.#locked(() => this.#take(this.#table.find(key), holder));
  }

  /**
   * The tensor of a digest, held once by `holder`: found, waited for, or made by `make`, which gives a tensor that
   * `holder` holds. A failed `make` fails its own caller alone.
   *
   * @throws what `make` throws; the `ABORTED` ActorError of `signal`, which ends a wait
   */
  async getOrMake(
    digest: string,
    holder: number,
    make: () => Promise<SharedTensor>,
    signal?: AbortSignal,
  ): Promise<SharedTensor> {
    if (this.#handle.bytes === 0) return await make();
    const key = digestCells(digest);
    for (;;) {
      const { version } = this.#changed;
      const found = this.#locked(() => this.#takeOrClaim(key, holder));
      if (found === 'claimed') return await this.#make(key, holder, make);
      if (found !== 'wait') return found;
      await this.#changed.changed(version, signal);
    }
  }

  /** Lets the least recently used tensor go, to make room in the arena; false when none is kept. */
  evict(): boolean {
    return this.#locked(() => this.#evict());
  }

  /** Lets all kept tensors go; returns their bytes. Those in the making are kept when they are made. */
  clear(): number {
    return this.#locked(() => {
      const bytes = this.#table.counters[BYTES] ?? 0;
      for (let row = 0; row < this.#table.rows; row++) if (this.#table.hasTensor(row)) this.#drop(row);
      return bytes;
    });
  }

  /** What a holder that is no more had begun is begun by somebody else. @internal */
  releaseClaims(holder: number): void {
    this.#locked(() => {
      for (let row = 0; row < this.#table.rows; row++) {
        if (this.#table.isClaimedBy(row, holder)) this.#table.empty(row);
      }
    });
    this.#changed.announce();
  }

  /**
   * To be called when a worker has exited, with the `threadId` that it had when alive. A thread killed in the
   * middle of a change still owns the lock: then the cache starts anew, empty, and true is returned.
   * @internal
   */
  threadDied(threadId: number): boolean {
    if (!this.#lock.takeOver(threadId)) return false;
    try {
      for (let row = 0; row < this.#table.rows; row++) this.#table.empty(row);
      this.#table.counters[BYTES] = 0;
      this.#table.counters[KEPT] = 0;
      this.#arena.releaseAll(this.#handle.holder);
    } finally {
      this.#lock.unlock();
    }
    this.#changed.announce();
    return true;
  }

  /**
   * Ends the cache on the thread that created it, once no other thread has it. It stays empty, keeps its counts, and its memory goes
   * to the next cache of the same size.
   * @internal
   */
  retire(): void {
    if (this.#table.rows === 0) return;
    this.clear();
    const { memory } = this.#handle;
    this.#handle = { ...this.#handle, memory: headerOnly(memory) };
    this.#table = new TensorCacheTable(this.#handle.memory, this.#arena.name);
    this.#lock = new SharedLock(this.#table.header, LOCK);
    this.#changed = changeSignal(this.#table);
    giveMemory(memory);
  }

  /** How it is used. */
  stats(): TensorCacheStats {
    const { name, bytes: maxBytes } = this.#handle;
    return this.#locked(() => {
      const count = (index: number): number => this.#table.counters[index] ?? 0;
      const [hits, misses] = [count(HITS), count(MISSES)];
      const hitRate = hits === 0 ? 0 : hits / (hits + misses);
      const counts = { evictions: count(EVICTIONS), entries: count(KEPT), bytes: count(BYTES) };
      return { name, hits, misses, hitRate, ...counts, maxBytes };
    });
  }

  async #make(key: DigestCells, holder: number, make: () => Promise<SharedTensor>): Promise<SharedTensor> {
    try {
      const tensor = await make();
      try {
        this.#locked(() => this.#keep(key, holder, tensor));
      } catch (error) {
        this.#arena.release(tensor, holder);
        throw error;
      }
      return tensor;
    } finally {
      // Also when the tensor was too large to be kept.
      this.#locked(() => this.#unclaim(key, holder));
      this.#changed.announce();
    }
  }

  #takeOrClaim(key: DigestCells, holder: number): SharedTensor | 'claimed' | 'wait' {
    const row = this.#table.find(key);
    const found = this.#take(row, holder);
    if (found !== undefined) return found;
    if (row !== -1) return 'wait';
    let empty = this.#table.firstEmpty();
    if (empty === -1 && this.#evict()) empty = this.#table.firstEmpty();
    // With every row claimed by others there is no place to say so; the tensor is made all the same.
    if (empty !== -1) this.#table.claim(empty, key, holder);
    this.#table.count(MISSES, 1);
    return 'claimed';
  }

  /** The tensor of a row, held once more by `holder`; undefined when the row has none. */
  #take(row: number, holder: number): SharedTensor | undefined {
    if (row === -1 || !this.#table.hasTensor(row)) return undefined;
    const tensor = this.#table.read(row);
    this.#arena.retain(tensor, holder);
    this.#table.touch(row);
    this.#table.count(HITS, 1);
    return tensor;
  }

  #keep(key: DigestCells, holder: number, tensor: SharedTensor): void {
    const row = this.#table.find(key);
    const { bytes: maxBytes, holder: self } = this.#handle;
    if (row === -1 || !this.#table.isClaimedBy(row, holder)) return;
    if (tensor.byteLength > maxBytes || tensor.shape.length > MAX_RANK) return;
    while ((this.#table.counters[BYTES] ?? 0) + tensor.byteLength > maxBytes && this.#evict()) {
      // Room is made.
    }
    this.#arena.retain(tensor, self);
    this.#table.write(row, tensor);
    this.#table.count(BYTES, tensor.byteLength);
    this.#table.count(KEPT, 1);
  }

  #unclaim(key: DigestCells, holder: number): void {
    const row = this.#table.find(key);
    if (row !== -1 && this.#table.isClaimedBy(row, holder)) this.#table.empty(row);
  }

  #evict(): boolean {
    const row = this.#table.leastRecentlyUsed();
    if (row === -1) return false;
    this.#drop(row);
    this.#table.count(EVICTIONS, 1);
    return true;
  }

  #drop(row: number): void {
    const tensor = this.#table.read(row);
    this.#table.empty(row);
    this.#table.count(BYTES, -tensor.byteLength);
    this.#table.count(KEPT, -1);
    this.#arena.release(tensor, this.#handle.holder);
  }

  #locked<T>(work: () => T): T {
    this.#lock.lock();
    try {
      return work();
    } finally {
      this.#lock.unlock();
    }
  }
}

function changeSignal({ header }: TensorCacheTable): ChangeSignal {
  return new ChangeSignal(header, CHANGED, 'the wait for a tensor in the making');
}
