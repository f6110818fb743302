/**
 * `image-merge.ts` on the GPU: token embeddings come from the host, an image's embeddings lie on the GPU, and what is
 * made of both stays there.
 *
 *     embeds   float32 [1, tokens, hidden]         from the host, or what an image before this one left
 *     features float32 [tiles, perTile, hidden]    the vision graph's output, or [tokens, hidden]
 *     from, to int64 [1]                           rows of it that belong here
 *     places   int64 [rows, 2]                     where each of them goes
 *     merged   float32 [1, tokens, hidden]
 */

import type { GpuMemory } from '../../inference/gpu/gpu-memory.ts';
import { loadSmallGraph, node, type SmallGraph } from '../../inference/gpu/small-graph.ts';
import type { GraphSession } from '../../inference/graph-session.ts';
import { Tensor } from '../../inference/onnxruntime.ts';
import type { EngineImage } from '../engine-request.ts';

const MERGE = (hidden: number): SmallGraph => ({
  inputs: [
    ['embeds', 'float32', 3],
    ['features', 'float32', undefined],
    ['from', 'int64', 1],
    ['to', 'int64', 1],
    ['places', 'int64', 2],
  ],
  constants: { flat: [-1, hidden], first: [0] },
  nodes: [
    node('Reshape', ['features', 'flat'], 'rows'),
    node('Slice', ['rows', 'from', 'to', 'first'], 'used'),
    node('ScatterND', ['embeds', 'places', 'used'], 'merged'),
  ],
  outputs: [['merged', 'float32', 3]],
});

export class GpuImageMerge {
  readonly #session: GraphSession;
  readonly #gpu: GpuMemory;
  readonly #hidden: number;

  private constructor(session: GraphSession, gpu: GpuMemory, hidden: number) {
    this.#session = session;
    this.#gpu = gpu;
    this.#hidden = hidden;
  }

  static async load(hidden: number, gpu: GpuMemory): Promise<GpuImageMerge> {
    return new GpuImageMerge(await loadSmallGraph(MERGE(hidden), gpu), gpu, hidden);
  }

  /**
   * Merges the images whose tokens are among those from `from` to `to` of a prompt.
   *
   * @param embeds `[to - from, hidden]`, of these tokens
   * @returns the host's embeddings where there is no image token; otherwise a tensor that the caller disposes of
   */
  async merge(
    embeds: Float32Array,
    ids: Int32Array,
    imageTokenId: number,
    images: readonly EngineImage[],
    from: number,
    to: number,
  ): Promise<Tensor> {
    let before = 0;
    for (let i = 0; i < from; i++) before += Number(ids[i] === imageTokenId);
    const places: number[] = [];
    for (let i = from; i < to; i++) if (ids[i] === imageTokenId) places.push(i - from);

    let merged: Tensor = new Tensor('float32', embeds, [1, to - from, this.#hidden]);
    let taken = 0;
    for (const { onGpu } of images) {
      const rows = (onGpu?.size ?? 0) / this.#hidden;
      const first = Math.min(before, rows);
      const count = Math.min(rows - first, places.length - taken);
      before -= first;
      if (onGpu === undefined || count === 0) continue;
      const next = await this.#one(merged, onGpu, first, places.slice(taken, taken + count));
      taken += count;
      merged = next;
    }
    return merged;
  }

  dispose(merged: Tensor): void {
    this.#gpu.dispose([merged]);
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  async #one(embeds: Tensor, features: Tensor, first: number, places: readonly number[]): Promise<Tensor> {
    try {
      const outputs = await this.#session.run(
        {
          embeds,
          features,
          from: int64([first], [1]),
          to: int64([first + places.length], [1]),
          places: int64(
            places.flatMap((place) => [0, place]),
            [places.length, 2],
          ),
        },
        ['merged'],
      );
      if (outputs.merged === undefined) throw new TypeError('the merge gave nothing');
      return outputs.merged;
    } finally {
      this.#gpu.dispose([embeds]);
    }
  }
}

function int64(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}
