/**
 * Names for the blocks of a prompt: equal names mean equal content from the very first token to the end of the block.
 * The ids of image tokens are the same for every image, so the image itself, by the hash of its content, and the
 * place within it are part of the name.
 *
 *     block    │ 16 tokens │ 16 tokens │ 16 tokens │ rest
 *     key        k0 = H(ids, images)    k1 = H(k0, ids, images)  …      SHA-256, full length
 *
 * The chain of hashes is that of vLLM's automatic prefix caching.
 */
import { createHash, type Hash } from 'node:crypto';

/** Tokens of a block. */
export const BLOCK = 16;

/** One image of a prompt, in the order of its tokens. */
export interface PrefixImage {
  /** SHA-256 of the image's content, full length. */
  readonly hash: string;
  /** Image tokens that stand for it. */
  readonly tokens: number;
}

/** One key for each whole block of the prompt; none when an image has no hash, for then nothing tells it apart. */
export function prefixKeys(
  promptIds: Int32Array,
  imageTokenId: number,
  images: readonly PrefixImage[],
): string[] {
  if (images.some(({ hash }) => hash === '')) return [];
  const places = new ImagePlaces(images);
  const keys: string[] = [];
  for (let start = 0; start + BLOCK <= promptIds.length; start += BLOCK) {
    const ids = promptIds.subarray(start, start + BLOCK);
    const hash = createHash('sha256').update(keys.at(-1) ?? '');
    hash.update(new Uint8Array(ids.buffer, ids.byteOffset, ids.byteLength));
    for (const [offset, id] of ids.entries()) if (id === imageTokenId) places.next(hash, offset);
    keys.push(hash.digest('hex'));
  }
  return keys;
}

/** Walks through the image tokens of a prompt. */
class ImagePlaces {
  readonly #images: readonly PrefixImage[];
  #image = 0;
  #token = 0;

  constructor(images: readonly PrefixImage[]) {
    this.#images = images;
  }

  /** Adds to `hash` which image's token stands at `offset`, and which of its tokens. */
  next(hash: Hash, offset: number): void {
    while (this.#token >= (this.#images[this.#image]?.tokens ?? Number.POSITIVE_INFINITY)) {
      this.#image += 1;
      this.#token = 0;
    }
    hash.update(`${offset}:${this.#images[this.#image]?.hash ?? ''}:${this.#token};`);
    this.#token += 1;
  }
}
