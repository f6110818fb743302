/**
 * The numbers of a model that the actors compute with: how large its tensors are, how many tokens an image
 * takes, which tokens are special. Plain data, derived once when the model directory is opened.
 */
export interface ModelGeometry {
  /** Decoder layers, each with one key and one value cache. */
  readonly layers: number;
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
  /** The token whose embedding is replaced by image features. */
  readonly imageTokenId: number;
  /** Image tokens that one tile takes in the prompt. */
  readonly imageTokensPerTile: number;
  /** Side of one square tile, pixels. */
  readonly tileSize: number;
  /** Tokens that end an answer; at least one. */
  readonly eosTokenIds: readonly number[];
  /** Filler for unused positions of a batch. */
  readonly padTokenId: number;
}
