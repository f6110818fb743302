/**
 * How many actors of the language model a machine with many cores gets, and why: dividing one operator among many threads
 * wins little, since a step is a thousand short ones, while actors that share packed weights work side by side.
 *
 * Measured on 16 cores (Xeon with AMX), 256M shape, output tokens a second, actors × threads, with 16 / 48 requests of
 * 600 tokens and 64 more at once:
 *
 *     bits   1 × 16      2 × 8       4 × 4       8 × 2       16 × 1
 *     4      106 / 101   113 / 120   137 / 205   155 / 165   133 / 145
 *     8                  156 / 230   258 / 324   273 / 381   217 / 336
 */
import type { Machine } from './thread-plan.ts';

export interface PoolSize {
  readonly count: number;
  /** As a clause without a full stop. */
  readonly why: string;
}

const MIB = 1024 ** 2;

/**
 * Each actor reads all weights for each of its steps. What lies in the caches of cores is read again for little; of more,
 * several actors would read it from memory at the same time, so fewer and wider ones share a step's reading. The first
 * line is measured, the others are reckoned: four times the bytes, twice the rows for each reading of them.
 */
const THREADS_EACH: readonly (readonly [upToBytes: number, threads: number])[] = [
  [256 * MIB, 2],
  [1024 * MIB, 4],
];
const MOST_THREADS_EACH = 8;

/** What each takes in time to start and in memory grows with their number; what they gain does not any more. */
const MOST_ACTORS = 16;

/**
 * What a further actor takes beside the weights, which it shares: a thread, three sessions, and what they keep of a run.
 * Measured, 256M shape: see docs/architecture.md. Its keys and values are its part of what all actors have.
 */
export const FURTHER_ACTOR_BYTES = 320 * MIB;
/** The same where the model is small, beside weights of its own: measured, embedded model. */
const FURTHER_SMALL_ACTOR_BYTES = 80 * MIB;
/** The first one's second sessions, for when it works alone: measured, embedded model. */
const SMALL_ALONE_BYTES = 30 * MIB;
/** As read, and as packed. */
const COPIES_OF_WEIGHTS = 2;
/** Of the memory that the process is meant to have, for all further actors. */
const FURTHER_ACTORS_SHARE = 0.15;

/** Inference threads of one actor of a pool. */
export function threadsEach(decoderBytes: number): number {
  return THREADS_EACH.find(([upToBytes]) => decoderBytes <= upToBytes)?.[1] ?? MOST_THREADS_EACH;
}

/** @param cores that all of them have together */
export function poolSize(
  cores: number,
  { weightBytes, decoderBytes = weightBytes, memoryBytes, single }: Machine,
): PoolSize {
  if (single !== undefined) return { count: 1, why: single };
  const each = threadsEach(decoderBytes);
  const wanted = Math.min(MOST_ACTORS, Math.max(1, Math.floor(cores / each)));
  const most = mostInMemory(memoryBytes, FURTHER_ACTOR_BYTES);
  const size = (decoderBytes / MIB).toFixed(0);
  if (wanted > most) return { count: most, why: ROOM };
  if (wanted === 1) return { count: 1, why: '' };
  return {
    count: wanted,
    why: `actors of few threads divide the work better than operators, ${each} each for a decoder of ${size} MiB`,
  };
}

/** Measured on two cores; the others are left to processors and the caller's own thread. */
const SMALL_ACTORS_SHARE = 1 / 2;
const MOST_SMALL_ACTORS = 8;

/**
 * Actors that encode pictures and decode with a model so small that one of them has use for one thread only. On two cores two
 * of them answer 1.2 to 1.3 times as many requests with pictures as one, which is at work all the time and leaves
 * three quarters of a core idle.
 *
 * @param cores that all of them have together
 */
export function smallPoolSize(cores: number, { weightBytes, memoryBytes, single }: Machine): PoolSize {
  if (single !== undefined) return { count: 1, why: single };
  const wanted = Math.min(cores, MOST_SMALL_ACTORS, Math.max(2, Math.floor(cores * SMALL_ACTORS_SHARE)));
  const further = FURTHER_SMALL_ACTOR_BYTES + COPIES_OF_WEIGHTS * weightBytes;
  const most = mostInMemory(memoryBytes, further, SMALL_ALONE_BYTES);
  if (wanted > most) return { count: most, why: ROOM };
  return { count: wanted, why: wanted === 1 ? '' : 'so several actors work side by side, a thread each' };
}

const ROOM = 'as many actors as have room in memory';

/**
 * @param memoryBytes absent: enough for any number
 * @param onceBytes that the first takes more where there are several
 */
function mostInMemory(memoryBytes = Number.POSITIVE_INFINITY, furtherBytes: number, onceBytes = 0): number {
  const share = Math.max(0, memoryBytes * FURTHER_ACTORS_SHARE - onceBytes);
  return 1 + Math.floor(share / furtherBytes);
}
