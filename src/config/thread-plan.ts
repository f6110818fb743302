/**
 * How many actors and threads a machine gets by default. Inference threads are counted in cores; the processor
 * and the caller's own thread share what the inference leaves idle, since they work in short bursts.
 */
import type { Mode } from '../chat-types.ts';
import type { PoolOptions, TroupeOptions } from './options.ts';

export interface PoolPlan {
  readonly count: number;
  /** Intra-op threads of each actor's sessions; 0 for actors that run no inference. */
  readonly threads: number;
}

export interface ThreadPlan {
  readonly processor: PoolPlan;
  /** Absent in aggregated mode. */
  readonly encoder?: PoolPlan;
  readonly pd: PoolPlan;
}

export interface Machine {
  readonly cores: number;
  /** Of the model's graphs together. */
  readonly weightBytes: number;
}

/**
 * Below this, sharing one operator among threads costs more than it saves: on the embedded model (5 MB) a second
 * thread takes tokens per second away.
 */
const SMALL_MODEL_BYTES = 64 * 1024 * 1024;

/** The defaults, overridden by what was asked for. */
export function planThreads(mode: Mode, given: TroupeOptions, machine: Machine): ThreadPlan {
  const { processor, encoder, pd } = defaultPlan(mode, machine);
  const plan = {
    processor: { ...processor, ...poolOf(given.processor) },
    pd: { ...pd, ...poolOf(given.pd) },
  };
  return encoder === undefined ? plan : { ...plan, encoder: { ...encoder, ...poolOf(given.encoder) } };
}

function defaultPlan(mode: Mode, { cores, weightBytes }: Machine): ThreadPlan {
  const small = weightBytes < SMALL_MODEL_BYTES;
  const processor = { count: Math.max(1, Math.floor(cores / 4)), threads: 0 };
  if (mode === 'aggregated') return { processor, pd: { count: 1, threads: small ? 1 : cores } };
  // An image is encoded once but decoded from for many steps: the larger half goes to PD.
  const encoder = small ? 1 : Math.max(1, Math.floor(cores / 2));
  return {
    processor,
    encoder: { count: 1, threads: encoder },
    pd: { count: 1, threads: small ? 1 : Math.max(1, cores - encoder) },
  };
}

function poolOf({ count, threads }: PoolOptions = {}): Partial<PoolPlan> {
  return { ...(count === undefined ? {} : { count }), ...(threads === undefined ? {} : { threads }) };
}
