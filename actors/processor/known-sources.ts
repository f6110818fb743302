/**
 * What became of image files that came before: content hash and plan, by the SHA-256 of their bytes. The same bytes
 * decode to the same pixels, so an image whose embeddings are still kept needs no decoding, resizing or hashing
 * again. Only the digest is kept of the bytes, all of it: two files cannot be taken for one another.
 */
import { createHash } from 'node:crypto';
import { LRUCache } from 'lru-cache';
import type { ImagePlan } from '../families/family.ts';

export interface KnownImage {
  /** Of the preprocessed pixels. */
  readonly contentHash: string;
  readonly plan: ImagePlan;
}

/** About half a KiB each. */
const MAX_SOURCES = 4096;

export class KnownSources {
  readonly #known = new LRUCache<string, KnownImage>({ max: MAX_SOURCES });

  get(sourceHash: string): KnownImage | undefined {
    return this.#known.get(sourceHash);
  }

  set(sourceHash: string, image: KnownImage): void {
    this.#known.set(sourceHash, image);
  }
}

/** SHA-256 of an image's encoded bytes, hex. */
export function sourceHash(bytes: Uint8Array): string {
  return createHash('sha256').update(bytes).digest('hex');
}
