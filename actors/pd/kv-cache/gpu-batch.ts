/**
 * Keys and values of several rows as one tensor on the GPU, `[rows, heads, length, headDim]`, put together by two
 * small graphs: one picks rows and places, the other puts one tensor below another, filled up to one length.
 */
import { Tensor } from 'onnxruntime-node';
import type { GpuMemory } from '../../gpu/gpu-memory.ts';
import { type ElementName, loadSmallGraph, node } from '../../gpu/small-graph.ts';
import type { GraphSession, Tensors } from '../../inference/graph-session.ts';

/** Where a row that is shorter than the others has its free places. */
export type FreePlaces = 'left' | 'right';

export class GpuBatch {
  readonly #gpu: GpuMemory;
  readonly #pick: GraphSession;
  readonly #stack: GraphSession;
  readonly #free: FreePlaces;

  private constructor(gpu: GpuMemory, pick: GraphSession, stack: GraphSession, free: FreePlaces) {
    this.#gpu = gpu;
    this.#pick = pick;
    this.#stack = stack;
    this.#free = free;
  }

  static async load(type: ElementName, free: FreePlaces, gpu: GpuMemory): Promise<GpuBatch> {
    const pick = await loadSmallGraph(
      {
        inputs: [
          ['all', type, 4],
          ['rows', 'int64', 1],
          ['from', 'int64', 1],
          ['to', 'int64', 1],
        ],
        constants: { places: [2] },
        nodes: [
          node('Gather', ['all', 'rows'], 'some', 0),
          node('Slice', ['some', 'from', 'to', 'places'], 'picked'),
        ],
        outputs: [['picked', type, 4]],
      },
      gpu,
    );
    const stack = await loadSmallGraph(
      {
        inputs: [
          ['above', type, 4],
          ['below', type, 4],
          ['above_free', 'int64', 1],
          ['below_free', 'int64', 1],
        ],
        nodes: [
          node('Pad', ['above', 'above_free'], 'above_filled'),
          node('Pad', ['below', 'below_free'], 'below_filled'),
          node('Concat', ['above_filled', 'below_filled'], 'stacked', 0),
        ],
        outputs: [['stacked', type, 4]],
      },
      gpu,
    );
    return new GpuBatch(gpu, pick, stack, free);
  }

  /** The given rows with `length` places each. `all` is as before. */
  async pick(all: Tensor, rows: readonly number[], length: number): Promise<Tensor> {
    const places = all.dims[2] ?? 0;
    const from = this.#free === 'left' ? places - length : 0;
    return await this.#run(this.#pick, 'picked', {
      all,
      rows: int64(rows),
      from: int64([from]),
      to: int64([from + length]),
    });
  }

  /** One below the other, both with the longer one's places; the free ones are zero. Both are as before. */
  async stack(above: Tensor, below: Tensor): Promise<Tensor> {
    const length = Math.max(above.dims[2] ?? 0, below.dims[2] ?? 0);
    return await this.#run(this.#stack, 'stacked', {
      above,
      below,
      above_free: this.#padding(length - (above.dims[2] ?? 0)),
      below_free: this.#padding(length - (below.dims[2] ?? 0)),
    });
  }

  dispose(tensors: Iterable<Tensor | undefined>): void {
    this.#gpu.dispose(tensors);
  }

  async release(): Promise<void> {
    await this.#pick.release();
    await this.#stack.release();
  }

  /** Begins and ends of the four dimensions. */
  #padding(free: number): Tensor {
    return int64(this.#free === 'left' ? [0, 0, free, 0, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 0, free, 0]);
  }

  async #run(session: GraphSession, name: string, feeds: Tensors): Promise<Tensor> {
    const output = (await session.run(feeds, [name]))[name];
    if (output === undefined) throw new TypeError(`${name} is missing`);
    return output;
  }
}

function int64(values: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);
}
