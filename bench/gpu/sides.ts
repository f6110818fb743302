/** The arrangements of actors on a GPU and on the CPU that are compared. */
import type { TroupeOptions } from '../../src/index.ts';
import { AskedChild } from '../asked-child.ts';
import type { EngineAnswer, EngineTask } from './engine-task.ts';

export interface Side {
  readonly name: string;
  readonly options: Pick<TroupeOptions, 'mode' | 'encoder' | 'pd'>;
}

export const CPU: Side = { name: 'CPU, aggregated', options: { mode: 'aggregated', pd: { device: 'cpu' } } };

/** Vision, merge, prefill and decode in one actor. */
export const GPU: Side = {
  name: 'GPU, aggregated',
  options: { mode: 'aggregated', pd: { device: 'webgpu' } },
};

/** One process has one actor on the GPU, so of two actors one has to be on the CPU. */
const SPLIT: readonly Side[] = [
  {
    name: 'disaggregated, encoder on the GPU',
    options: { mode: 'disaggregated', encoder: { device: 'webgpu' }, pd: { device: 'cpu' } },
  },
  {
    name: 'disaggregated, PD on the GPU',
    options: { mode: 'disaggregated', encoder: { device: 'cpu' }, pd: { device: 'webgpu' } },
  },
];

/** The first one is the baseline. */
export const SIDES: readonly Side[] = [CPU, GPU, ...SPLIT];

export type Engine = AskedChild<EngineTask, EngineAnswer>;

const SCRIPT = new URL('./engine-child.ts', import.meta.url);

/** @throws Error that says why the engine cannot start, for example for want of a GPU */
export function startEngine(side: Side, options: Pick<TroupeOptions, 'model' | 'dtype'>): Promise<Engine> {
  return AskedChild.start(side.name, SCRIPT, [JSON.stringify({ ...options, ...side.options })]);
}
