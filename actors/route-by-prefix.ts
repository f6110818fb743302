/**
 * Which actor of a pool a prompt should go to: the one that has run its beginning, unless it has too much to do. So the
 * prefix caches of several actors are worth about as much as one's, and one beginning that all share does not bring all to
 * one actor. The same weighing as among the nodes of a fleet (`src/fleet/gateway/choose-node.ts`).
 */
import { type EncodedImage, isEncoded, type PreparedImage } from './generation.ts';
import { BLOCK, type PrefixImage, prefixKeys } from './pd/prefix-cache/prefix-keys.ts';
import { memberIndex, PoolBoard, type PoolBoardMemory } from './pool-board.ts';

/** So many tokens that need not be run make up for one request more that an actor has. */
const TOKENS_PER_REQUEST = 256;

/** Among equals the first, which alone has more threads: less than a block that another has. */
const FOR_THE_FIRST = BLOCK / 2 / TOKENS_PER_REQUEST;

export interface RoutedPrompt {
  readonly promptIds: Int32Array;
  readonly images: readonly (PreparedImage | EncodedImage)[];
}

/** By how many requests more a member, by name, may have and still be taken. */
export type Preference = (member: string) => number;

export class PrefixRouter {
  readonly #board: PoolBoard | undefined;
  readonly #imageTokenId: number;

  /** @param board absent: there is one actor */
  constructor(board: PoolBoardMemory | undefined, imageTokenId: number) {
    this.#board = board && new PoolBoard(board);
    this.#imageTokenId = imageTokenId;
  }

  preferenceFor({ promptIds, images }: RoutedPrompt): Preference | undefined {
    if (this.#board === undefined) return undefined;
    const keys = prefixKeys(promptIds, this.#imageTokenId, images.map(prefixImage));
    const held = this.#board.heldTokens(keys);
    return (name) => {
      const member = memberIndex(name);
      return (held[member] ?? 0) / TOKENS_PER_REQUEST + (member === 0 ? FOR_THE_FIRST : 0);
    };
  }
}

function prefixImage(image: PreparedImage | EncodedImage): PrefixImage {
  if (!isEncoded(image)) return image;
  const [, tokens = 0] = image.embeddings.shape;
  return { hash: image.hash, tokens };
}
