/**
 * One engine in a process of its own, which answers requests that come all at once; then reports what it holds. It is the
 * built package, as users have it.
 *
 *     node engine-memory-child.ts MODEL_DIRECTORY DTYPE [PREFIX_CACHE_BYTES]
 */
import process from 'node:process';
import { setTimeout as pause } from 'node:timers/promises';
import { failureOf } from '../asked-child.ts';
import { precisionOf } from '../generated-model/precision.ts';
import { type PeerRequest, toChatOptions } from '../peers/peer-request.ts';
import { processMemory } from '../process-memory.ts';
import { HeapWatch } from './heap-watch.ts';
import { type MemorySample, SampleTaker } from './memory-sample.ts';

const built: typeof import('../../src/index.ts') = await import(
  new URL('../../dist-bench/src/index.js', import.meta.url).href
);

export interface EngineMemoryTask {
  readonly requests: readonly PeerRequest[];
}

/** Bytes. */
export interface EngineMemory extends MemorySample {
  /** Anonymous memory before the first request. */
  readonly started: number;
  /** Of keys and values that prompts left behind, for those that begin alike. */
  readonly prefixes: number;
  /** Anonymous memory when there has been nothing to do for `SETTLE_MS`. */
  readonly settled: number;
}

/** An engine without work gives memory back after a second. */
const SETTLE_MS = 2_500;

const [model = '', dtype, prefixCacheBytes] = process.argv.slice(2);
const heaps = new HeapWatch();
const pd = prefixCacheBytes === undefined ? {} : { pd: { prefixCacheBytes: Number(prefixCacheBytes) } };
const engine = await built.Troupe.start({ model, dtype: precisionOf(dtype), ...pd });
const started = processMemory().anonymous;
const taker = new SampleTaker(engine, heaps);

process.on('message', async ({ requests }: EngineMemoryTask) => {
  try {
    await Promise.all(requests.map((request) => engine.chat(toChatOptions(request))));
    const { actors } = await engine.stats();
    const prefixes = actors.reduce((sum, { stats }) => sum + prefixBytes(stats), 0);
    const sample = await taker.take(requests.length);
    await pause(SETTLE_MS);
    const settled = processMemory().anonymous;
    process.send?.({ ...sample, started, prefixes, settled } satisfies EngineMemory);
  } catch (error) {
    process.send?.(failureOf(error));
  }
});
process.send?.('ready');

function prefixBytes(stats: object | undefined): number {
  if (stats === undefined || !('prefixCache' in stats)) return 0;
  const { prefixCache } = stats;
  if (typeof prefixCache !== 'object' || prefixCache === null || !('bytes' in prefixCache)) return 0;
  return Number(prefixCache.bytes);
}
