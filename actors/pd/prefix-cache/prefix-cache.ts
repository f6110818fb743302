/**
 * Keys and values of prompts that were run, by content: a prompt that begins like an earlier one takes them from here
 * and runs the rest alone. Kept in blocks, each on its own in an LRU list that is bounded in bytes; a block is of use
 * only behind the blocks before it, so a chain is touched from its end, and its end is evicted first.
 */
import { LRUCache } from 'lru-cache';
import type { KvPages, PromptKv } from '../kv-cache/kv-cache.ts';
import { BLOCK } from './prefix-keys.ts';

export interface PrefixCacheStats {
  /** Prompts that found at least one block, and that found none. */
  readonly hits: number;
  readonly misses: number;
  /** Tokens asked for, and those that were found. */
  readonly tokens: number;
  readonly cachedTokens: number;
  readonly blocks: number;
  readonly bytes: number;
}

/** Who wants to know which blocks are here. */
export interface PrefixListener {
  keep(key: string): void;
  drop(key: string): void;
}

export class PrefixCache {
  readonly #maxBytes: number;
  readonly #listener: PrefixListener | undefined;
  readonly #blocks: LRUCache<string, Uint32Array> | undefined;
  /** Memory of evicted blocks, for the next ones: a full cache would allocate and free megabytes with every prompt. */
  #spare: Uint32Array[] = [];
  #hits = 0;
  #misses = 0;
  #tokens = 0;
  #cachedTokens = 0;

  /** @param maxBytes 0 keeps nothing */
  constructor(maxBytes: number, listener?: PrefixListener) {
    this.#maxBytes = maxBytes;
    this.#listener = listener;
    // lru-cache reads a maxSize of 0 as "no bound".
    if (maxBytes > 0) {
      const dispose = (words: Uint32Array, key: string, reason: LRUCache.DisposeReason) => {
        listener?.drop(key);
        if (reason === 'evict') this.#spare.push(words);
      };
      this.#blocks = new LRUCache({ maxSize: maxBytes, dispose });
    }
  }

  get bytes(): number {
    return this.#blocks?.calculatedSize ?? 0;
  }

  /** How many tokens from the start on `restore` would find for these keys. */
  cachedTokens(keys: readonly string[], promptLength: number): number {
    // The last token is always run: its logits are wanted.
    const most = Math.floor((promptLength - 1) / BLOCK);
    let blocks = 0;
    while (blocks < Math.min(most, keys.length) && this.#blocks?.has(keys[blocks] ?? '')) blocks += 1;
    return blocks * BLOCK;
  }

  /** Fills an empty `PromptKv` with what is known of its prompt. @returns the tokens it then holds */
  restore(keys: readonly string[], promptLength: number, kv: PromptKv & KvPages): number {
    const tokens = this.cachedTokens(keys, promptLength);
    for (let block = 0; block < tokens / BLOCK; block++) {
      const words = this.#blocks?.peek(keys[block] ?? '');
      if (words !== undefined) kv.write(words, BLOCK);
    }
    this.#touch(keys.slice(0, tokens / BLOCK));
    this.#tokens += promptLength;
    this.#cachedTokens += tokens;
    if (tokens > 0) this.#hits += 1;
    else this.#misses += 1;
    return tokens;
  }

  /**
   * Keeps the whole blocks of a `PromptKv` that are not kept yet.
   *
   * @param from tokens that were offered before
   * @param to tokens that count. Default: all
   */
  offer(keys: readonly string[], from: number, kv: PromptKv & KvPages, to = kv.length): void {
    if (this.#blocks === undefined) return;
    const added: string[] = [];
    for (let block = Math.floor(from / BLOCK); (block + 1) * BLOCK <= to; block++) {
      const key = keys[block];
      if (key === undefined) break;
      added.push(key);
      if (this.#blocks.has(key)) continue;
      const words = kv.read(block * BLOCK, BLOCK, this.#spare.pop());
      if (words.byteLength > this.#maxBytes) return;
      this.#blocks.set(key, words, { size: words.byteLength });
      this.#listener?.keep(key);
    }
    this.#touch(added);
  }

  /** Forgets everything; returns the bytes. */
  clear(): number {
    const { bytes } = this;
    this.#blocks?.clear();
    this.#spare = [];
    return bytes;
  }

  stats(): PrefixCacheStats {
    return {
      hits: this.#hits,
      misses: this.#misses,
      tokens: this.#tokens,
      cachedTokens: this.#cachedTokens,
      blocks: this.#blocks?.size ?? 0,
      bytes: this.bytes,
    };
  }

  #touch(keys: readonly string[]): void {
    for (const key of [...keys].reverse()) this.#blocks?.get(key);
  }
}
