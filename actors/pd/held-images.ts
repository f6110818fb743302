/** Tensors from another actor, held here until the engine has read them. */
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../runtime/tensors/shared-tensor.ts';
import type { EngineImage } from './engine-request.ts';

/** An image's pixels or embeddings in shared memory. */
export interface NamedTensor extends Pick<EngineImage, 'hash' | 'tokens' | 'inputs'> {
  readonly tensor: SharedTensor;
}

/** @param tensor `[layers, tokens, hidden]` */
export function embeddedImage(hash: string, tensor: SharedTensor): NamedTensor {
  return { hash, tensor, tokens: tensor.shape[1] ?? 0, inputs: {} };
}

/**
 * Takes a hold on each tensor and opens it as float32.
 * @throws TroupeError `TENSOR_RELEASED` when one is gone, with none of them held
 */
export function holdImages(
  arena: SharedArena,
  holder: number,
  images: readonly NamedTensor[],
): EngineImage[] {
  const held: EngineImage[] = [];
  try {
    for (const { hash, tensor, tokens, inputs } of images) {
      arena.retain(tensor, holder);
      held.push({
        hash,
        data: arena.view(tensor) as Float32Array, // pixels and embeddings are float32
        shape: tensor.shape,
        tokens,
        inputs,
        release: () => void arena.release(tensor, holder),
      });
    }
    return held;
  } catch (error) {
    for (const image of held) image.release();
    throw error;
  }
}
