/**
 * Keys and values of several rows on the GPU, each a tensor `[rows, heads, length, headDim]`, put together by two small
 * graphs: one picks rows and places, the other puts one tensor below another, filled up to one length. A run does it for
 * several tensors at once, since to start a run takes longer than to copy.
 */

import type { GpuMemory } from '../../../inference/gpu/gpu-memory.ts';
import { type ElementName, loadSmallGraph, node, type Port } from '../../../inference/gpu/small-graph.ts';
import type { GraphSession, Tensors } from '../../../inference/graph-session.ts';
import { Tensor } from '../../../inference/onnxruntime.ts';

/** Where a row that is shorter than the others has its free places. */
export type FreePlaces = 'left' | 'right';

export class GpuBatch {
  readonly #pick: GraphSession;
  readonly #stack: GraphSession;
  readonly #free: FreePlaces;

  private constructor(pick: GraphSession, stack: GraphSession, free: FreePlaces) {
    this.#pick = pick;
    this.#stack = stack;
    this.#free = free;
  }

  /** @param types of the tensors that are handled together */
  static async load(types: readonly ElementName[], free: FreePlaces, gpu: GpuMemory): Promise<GpuBatch> {
    const pick = await loadSmallGraph(
      {
        inputs: [
          ...ports('all', types),
          ['rows', 'int64', 1],
          ['from', 'int64', 1],
          ['to', 'int64', 1],
          ['free', 'int64', 1],
        ],
        constants: { places: [2] },
        nodes: types.flatMap((_, i) => [
          node('Gather', [`all_${i}`, 'rows'], `some_${i}`, 0),
          node('Slice', [`some_${i}`, 'from', 'to', 'places'], `short_${i}`),
          node('Pad', [`short_${i}`, 'free'], `result_${i}`),
        ]),
        outputs: ports('result', types),
      },
      gpu,
    );
    const stack = await loadSmallGraph(
      {
        inputs: [...ports('above', types), ...ports('below', types), ['below_free', 'int64', 1]],
        nodes: types.flatMap((_, i) => [
          node('Pad', [`below_${i}`, 'below_free'], `below_filled_${i}`),
          node('Concat', [`above_${i}`, `below_filled_${i}`], `result_${i}`, 0),
        ]),
        outputs: ports('result', types),
      },
      gpu,
    );
    return new GpuBatch(pick, stack, free);
  }

  /** The given rows with `places` places each; free ones that are added are zero. `all` are as before. */
  async pick(all: readonly Tensor[], rows: readonly number[], places: number): Promise<Tensor[]> {
    const kept = Math.min(places, placesOf(all));
    const from = this.#free === 'left' ? placesOf(all) - kept : 0;
    return await run(this.#pick, all.length, {
      ...feeds('all', all),
      rows: int64(rows),
      from: int64([from]),
      to: int64([from + kept]),
      free: this.#padding(places - kept),
    });
  }

  /** One below the other, with the places of the one above, which has as many or more; free ones are zero. Both are as before. */
  async stack(above: readonly Tensor[], below: readonly Tensor[]): Promise<Tensor[]> {
    const length = placesOf(above);
    return await run(this.#stack, above.length, {
      ...feeds('above', above),
      ...feeds('below', below),
      below_free: this.#padding(length - placesOf(below)),
    });
  }

  async release(): Promise<void> {
    await this.#pick.release();
    await this.#stack.release();
  }

  /** Begins and ends of the four dimensions. */
  #padding(free: number): Tensor {
    return int64(this.#free === 'left' ? [0, 0, free, 0, 0, 0, 0, 0] : [0, 0, 0, 0, 0, 0, free, 0]);
  }
}

function ports(name: string, types: readonly ElementName[]): Port[] {
  return types.map((type, i) => [`${name}_${i}`, type, 4]);
}

function feeds(name: string, tensors: readonly Tensor[]): Tensors {
  return Object.fromEntries(tensors.map((tensor, i) => [`${name}_${i}`, tensor]));
}

/** All tensors of a batch have the same rows and places. */
export function placesOf([first]: readonly Tensor[]): number {
  return first?.dims[2] ?? 0;
}

async function run(session: GraphSession, count: number, inputs: Tensors): Promise<Tensor[]> {
  const names = Array.from({ length: count }, (_, i) => `result_${i}`);
  const outputs = await session.run(inputs, names);
  return names.map((name) => {
    const output = outputs[name];
    if (output === undefined) throw new TypeError(`${name} is missing`);
    return output;
  });
}

function int64(values: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), [values.length]);
}
