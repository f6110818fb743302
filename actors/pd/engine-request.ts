/** What a request brings to the engine. */

import type { TokenMatcher } from '../constraint/token-matcher.ts';
import type { ImageTensor, RequestEnvelope } from '../generation.ts';
import type { Tensor } from '../inference/onnxruntime.ts';

/** One image of a request, in the order of the prompt's image tokens. */
export interface EngineImage {
  /** SHA-256 of the content, full length: what tells images apart in the prefix cache. */
  readonly hash: string;
  /**
   * Separate encoding: embeddings `[layers, tokens, hidden]`. Integrated encoding: normalized pixels, as the graph takes
   * them. Flat, row-major; may view shared memory; read by the prefill alone.
   */
  readonly data: Float32Array;
  readonly shape: readonly number[];
  /** Image tokens that stand for it. */
  readonly tokens: number;
  /** Integrated encoding: further inputs of the graph. */
  readonly inputs: Readonly<Record<string, ImageTensor>>;
  /** The embeddings where they lie on the GPU of this actor; `data` is then empty. */
  readonly onGpu?: Tensor;
  /** Called exactly once, as soon as `data` is no longer needed. */
  release(): void;
}

export interface EngineRequest {
  readonly envelope: RequestEnvelope;
  readonly images: readonly EngineImage[];
  /** Begins an answer's way through the request's constraint; absent when it has none. */
  readonly newMatcher?: (() => TokenMatcher) | undefined;
}
