/**
 * Puts the batch of a `GpuKvCache` together anew when requests have joined or left: the rows of the old batch that stay, and
 * below them the prompts that join. Some layers at a time, so that little is held twice beside the result.
 */

import type { GpuMemory } from '../../../inference/gpu/gpu-memory.ts';
import type { Tensors } from '../../../inference/graph-session.ts';
import type { Tensor } from '../../../inference/onnxruntime.ts';
import type { KvPort } from '../kv-signature.ts';
import { type FreePlaces, GpuBatch, placesOf } from './gpu-batch.ts';
import { type GpuPromptKv, tensorsOf } from './gpu-prompt-kv.ts';

/** Where a row's keys and values are: in the batch, or still by themselves. */
export interface GpuRow {
  readonly at: number | GpuPromptKv;
  readonly length: number;
}

/**
 * Keys and values that are put together in one run: four layers. More would be held twice at a time, fewer are more runs,
 * each of which takes a few tenths of a millisecond to start.
 */
const PORTS_PER_RUN = 8;

/** Some of the ports, and what puts their rows together. */
interface PortGroup {
  readonly ports: readonly KvPort[];
  readonly batch: GpuBatch;
}

export class GpuAssembly {
  readonly #groups: readonly PortGroup[];
  readonly #gpu: GpuMemory;

  private constructor(groups: readonly PortGroup[], gpu: GpuMemory) {
    this.#groups = groups;
    this.#gpu = gpu;
  }

  static async load(ports: readonly KvPort[], free: FreePlaces, gpu: GpuMemory): Promise<GpuAssembly> {
    const groups: PortGroup[] = [];
    for (let from = 0; from < ports.length; from += PORTS_PER_RUN) {
      const some = ports.slice(from, from + PORTS_PER_RUN);
      const types = some.map(({ type }) => type);
      groups.push({ ports: some, batch: await GpuBatch.load(types, free, gpu) });
    }
    return new GpuAssembly(groups, gpu);
  }

  /**
   * @param old the batch that rows are in. It and the kvs are as before, and some of their tensors may be the result's
   * @param rows at least one
   * @param places of each row of the result, at least as many as any of them has tokens
   * @returns all rows in their order
   */
  async assemble(old: Tensors | undefined, rows: readonly GpuRow[], places: number): Promise<Tensors> {
    const assembled: Tensors = {};
    try {
      for (const group of this.#groups) {
        const tensors = await this.#rowsOf(group, old, rows, places);
        for (const [index, tensor] of tensors.entries()) assembled[group.ports[index]?.past ?? ''] = tensor;
      }
      return assembled;
    } catch (error) {
      // What failed was a run, so nothing here is the batch's or a `PromptKv`'s own.
      this.#gpu.dispose(Object.values(assembled));
      throw error;
    }
  }

  /** The tensors of one row with so many places. They are as before. */
  async widen(tensors: Tensors, places: number): Promise<Tensors> {
    const wide: Tensors = {};
    try {
      for (const { ports, batch } of this.#groups) {
        const some = await batch.pick(tensorsOf(tensors, ports), [0], places);
        for (const [index, tensor] of some.entries()) wide[ports[index]?.past ?? ''] = tensor;
      }
      return wide;
    } catch (error) {
      this.#gpu.dispose(Object.values(wide));
      throw error;
    }
  }

  async release(): Promise<void> {
    for (const { batch } of this.#groups) await batch.release();
  }

  /** Some ports' keys and values of all rows: those of the batch first, as the graphs want them, then put in order. */
  async #rowsOf(
    { ports, batch }: PortGroup,
    old: Tensors | undefined,
    rows: readonly GpuRow[],
    places: number,
  ): Promise<Tensor[]> {
    const batched = rows.flatMap(({ at }) => (typeof at === 'number' ? [at] : []));
    let made: Tensor[] = [];
    /** What was made before is of no more use then. */
    const next = async (making: Promise<Tensor[]>): Promise<Tensor[]> => {
      const tensors = await making;
      this.#gpu.dispose(made);
      made = tensors;
      return tensors;
    };
    try {
      let all: Tensor[] | undefined;
      if (old !== undefined && batched.length > 0) {
        all = tensorsOf(old, ports);
        const fits = all[0]?.dims[0] === batched.length && placesOf(all) === places && isAscending(batched);
        if (!fits) all = await next(batch.pick(all, batched, places));
      }
      for (const { at } of rows) {
        if (typeof at === 'number') continue;
        const kv = at.tensors(ports);
        if (all !== undefined) all = await next(batch.stack(all, kv));
        else all = placesOf(kv) === places ? kv : await next(batch.pick(kv, [0], places));
      }
      if (all === undefined) throw new TypeError('the batch has no rows');
      const order = orderAfterStacking(rows);
      if (!isAscending(order)) all = await next(batch.pick(all, order, places));
      return all;
    } catch (error) {
      this.#gpu.dispose(made);
      throw error;
    }
  }
}

/** For each row, where it is once the batch's rows and then the kvs are stacked. */
function orderAfterStacking(rows: readonly GpuRow[]): number[] {
  let inBatch = 0;
  let inDrafts = rows.filter(({ at }) => typeof at === 'number').length;
  return rows.map(({ at }) => (typeof at === 'number' ? inBatch++ : inDrafts++));
}

/** 0, 1, 2 … */
function isAscending(places: readonly number[]): boolean {
  return places.every((at, row) => at === row);
}
