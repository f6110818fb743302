/** What a processor holds for one request: pixels and embeddings, each as often as it took it. */
import type { SharedArena } from '../../runtime/tensors/arena.ts';
import type { SharedTensor } from '../../runtime/tensors/shared-tensor.ts';

export interface TensorHolder {
  readonly pixels: SharedArena;
  readonly encoded?: { readonly arena: SharedArena };
  readonly holder: number;
}

export class HeldTensors {
  readonly #by: TensorHolder;
  readonly #held: SharedTensor[] = [];

  constructor(by: TensorHolder) {
    this.#by = by;
  }

  add(tensor: SharedTensor): void {
    this.#held.push(tensor);
  }

  /** Lets go of one of them. */
  remove(tensor: SharedTensor): void {
    const index = this.#held.indexOf(tensor);
    if (index !== -1) this.#held.splice(index, 1);
    this.#letGo(tensor);
  }

  /** Lets go of all of them. */
  release(): void {
    for (const tensor of this.#held.splice(0)) this.#letGo(tensor);
  }

  #letGo(tensor: SharedTensor): void {
    const { pixels, encoded, holder } = this.#by;
    (tensor.arena === pixels.name ? pixels : encoded?.arena)?.release(tensor, holder);
  }
}
