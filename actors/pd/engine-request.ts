/** What a request brings to the engine. */

import type { RequestEnvelope } from '../generation.ts';
import type { Tensor } from '../inference/onnxruntime.ts';

/** One image of a request, in the order of the prompt's image tokens. */
export interface EngineImage {
  /** SHA-256 of the content, full length: what tells images apart in the prefix cache. */
  readonly hash: string;
  /**
   * Separate encoding: embeddings `[tiles, tokensPerTile, hidden]`. Integrated encoding: normalized pixels
   * `[tiles, 3, height, width]`. Flat, row-major; may view shared memory; read by the prefill alone.
   */
  readonly data: Float32Array;
  readonly shape: readonly number[];
  /** The embeddings where they lie on the GPU of this actor; `data` is then empty. */
  readonly onGpu?: Tensor;
  /** Called exactly once, as soon as `data` is no longer needed. */
  release(): void;
}

export interface EngineRequest {
  readonly envelope: RequestEnvelope;
  readonly images: readonly EngineImage[];
}
