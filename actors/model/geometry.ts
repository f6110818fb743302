/**
 * The numbers of a model that the actors compute with: how large its tensors are, which tokens are special, who sees
 * whom. Plain data, derived once when the model directory is opened.
 */
export interface ModelGeometry {
  /** Decoder layers, each with one key and one value cache. */
  readonly layers: number;
  /** Query heads of a layer. */
  readonly heads: number;
  /** Heads of the key/value cache (grouped-query attention has fewer of these than query heads). */
  readonly kvHeads: number;
  /** Width of one head. */
  readonly headDim: number;
  /** Width of the embeddings that the decoder takes. */
  readonly hiddenSize: number;
  /** Width of the logits. */
  readonly vocabSize: number;
  /** Most tokens of prompt and answer together. */
  readonly contextLength: number;
  /** Why that is less than the model's own; absent where it is not. */
  readonly contextReason?: string;
  /** The token whose embedding is replaced by image features. */
  readonly imageTokenId: number;
  /** Tokens that end an answer; at least one. */
  readonly eosTokenIds: readonly number[];
  /**
   * Which tokens of a prompt see later ones: none; those of an image the others of that image (Gemma 3); all tokens of a
   * prompt each other (PaliGemma). The decoder is told by its input `token_type_ids`.
   */
  readonly seesAhead: SeesAhead;
  /** Inputs of the vision graph beside the pixels that image plans fill. */
  readonly imageInputs: readonly string[];
  /** Whether the vision graph takes several images in one run where it encodes each as a whole. */
  readonly joinsImages: boolean;
}

/** See `ModelGeometry.seesAhead`. */
export type SeesAhead = 'none' | 'images' | 'prompt';
