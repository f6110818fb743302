/**
 * The soak, in a process whose own thread is given as little room for young objects as an actor's: V8 otherwise lets the
 * caller's thread take more as it goes, which is the caller's memory and not the engine's. Sends its samples.
 *
 *     node --max-semi-space-size=8 soak-child.ts REQUESTS
 */
import process from 'node:process';
import { Troupe } from '../../src/index.ts';
import { TimedStream } from '../timed-stream.ts';
import { HeapWatch } from './heap-watch.ts';
import { type MemorySample, SampleTaker } from './memory-sample.ts';
import { VariedRequests } from './varied-requests.ts';

const IN_FLIGHT = 16;
const SAMPLES = 100;
/** Full within the first quarter: by their default size they would fill all the way, which looks like a leak. */
const SMALL_CACHES = {
  pd: { prefixCacheBytes: 8 * 1024 * 1024 },
  vision: { cacheBytes: 2 * 1024 * 1024 },
};

const heaps = new HeapWatch();
const engine = await Troupe.start({ mode: 'disaggregated', ...SMALL_CACHES });
try {
  process.send?.(await soak(Number(process.argv[2]), new SampleTaker(engine, heaps)));
} finally {
  await engine.stop();
  heaps.stop();
  process.disconnect?.();
}

async function soak(requests: number, taker: SampleTaker): Promise<MemorySample[]> {
  const varied = new VariedRequests();
  const samples = [await taker.take(0)];
  const every = Math.max(1, Math.floor(requests / SAMPLES));
  let submitted = 0;
  let done = 0;
  const caller = async (): Promise<void> => {
    while (submitted < requests) {
      submitted += 1;
      const stream = new TimedStream(engine, varied.next());
      if (varied.nextLeaves()) await stream.abort();
      else await stream.ended;
      done += 1;
      if (done % (10 * every) === 0) process.stderr.write(`  ${done} of ${requests} requests\n`);
      if (done % every === 0) samples.push(await taker.take(done));
    }
  };
  await Promise.all(Array.from({ length: IN_FLIGHT }, caller));
  return samples.sort((a, b) => a.requests - b.requests);
}
