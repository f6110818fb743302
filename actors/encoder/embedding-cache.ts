/**
 * Encoded images by content: an LRU cache bounded in bytes, with one encode for all who ask for the same image at
 * the same time. The key is a hash of the full content, so equal keys mean equal values; there is no expiry.
 *
 * After vLLM's encoder cache manager, which likewise counts references and lets requests share an embedding.
 */
import { LRUCache } from 'lru-cache';

export interface EmbeddingCacheOptions<V> {
  /** Most bytes of all kept values together; 0 keeps nothing, and only joins concurrent requests. */
  readonly maxBytes: number;
  readonly bytesOf: (value: V) => number;
  /**
   * For values that are counted, not collected: a new value has one reference, the cache's. `retain` is called for
   * each caller that is handed the value, before it could be disposed of; the caller drops that reference itself.
   */
  readonly retain?: (value: V) => void;
  /** Drops the cache's reference: called once for each value, when it leaves the cache or is too large to enter. */
  readonly dispose?: (value: V) => void;
}

export interface EmbeddingCacheStats {
  /** Answered from a kept value, or by joining an encode under way. */
  readonly hits: number;
  /** Encodes started. */
  readonly misses: number;
  readonly entries: number;
  readonly bytes: number;
}

interface Encoding<V> {
  readonly promise: Promise<V>;
  /** How many callers will be handed the value. */
  callers: number;
}

export class EmbeddingCache<V extends object> {
  readonly #options: EmbeddingCacheOptions<V>;
  readonly #kept: LRUCache<string, V> | undefined;
  readonly #underWay = new Map<string, Encoding<V>>();
  #hits = 0;
  #misses = 0;

  constructor(options: EmbeddingCacheOptions<V>) {
    this.#options = options;
    // lru-cache reads a maxSize of 0 as "no bound".
    if (options.maxBytes <= 0) return;
    this.#kept = new LRUCache({
      maxSize: options.maxBytes,
      dispose: (value) => options.dispose?.(value),
    });
  }

  /**
   * The value for a content hash, encoded by `encode` unless it is kept or under way. A failed encode fails the
   * caller whose it was; those who joined it try again with their own, for it may have failed on that caller's
   * account (a cancel, its memory). Nothing is kept of it.
   */
  async get(hash: string, encode: () => Promise<V>): Promise<V> {
    const kept = this.#kept?.get(hash);
    if (kept !== undefined) {
      this.#hits += 1;
      this.#options.retain?.(kept);
      return kept;
    }
    const joined = this.#underWay.get(hash);
    if (joined !== undefined) {
      joined.callers += 1;
      const value = await joined.promise.catch(() => undefined);
      if (value === undefined) return this.get(hash, encode);
      this.#hits += 1;
      return value;
    }
    this.#misses += 1;
    const encoding = { promise: this.#encode(hash, encode), callers: 1 };
    this.#underWay.set(hash, encoding);
    return encoding.promise;
  }

  /** True when the value is kept: `get` will answer without an encode. */
  has(hash: string): boolean {
    return this.#kept?.has(hash) ?? false;
  }

  /** Drops all kept values; returns their bytes. Encodes under way are kept when they end. */
  clear(): number {
    const bytes = this.#kept?.calculatedSize ?? 0;
    this.#kept?.clear();
    return bytes;
  }

  stats(): EmbeddingCacheStats {
    return {
      hits: this.#hits,
      misses: this.#misses,
      entries: this.#kept?.size ?? 0,
      bytes: this.#kept?.calculatedSize ?? 0,
    };
  }

  async #encode(hash: string, encode: () => Promise<V>): Promise<V> {
    try {
      // The turn of `get` must end first, so that an `encode` which fails at once finds its entry to delete.
      await Promise.resolve();
      const value = await encode();
      const callers = this.#underWay.get(hash)?.callers ?? 0;
      for (let caller = 0; caller < callers; caller++) this.#options.retain?.(value);
      this.#keep(hash, value);
      return value;
    } finally {
      this.#underWay.delete(hash);
    }
  }

  #keep(hash: string, value: V): void {
    const size = Math.max(1, this.#options.bytesOf(value));
    if (this.#kept === undefined || size > this.#options.maxBytes) this.#options.dispose?.(value);
    else this.#kept.set(hash, value, { size });
  }
}
