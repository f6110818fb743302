/** Memory over thousands of requests of varied size on the embedded model. */
import process from 'node:process';
import { Troupe } from '../../src/index.ts';
import { HeapWatch } from '../memory/heap-watch.ts';
import { type MemorySample, SampleTaker } from '../memory/memory-sample.ts';
import { soakResult } from '../memory/soak-result.ts';
import { VariedRequests } from '../memory/varied-requests.ts';
import type { Suite } from '../suite.ts';
import { TimedStream } from '../timed-stream.ts';

const REQUESTS = 20_000;
const QUICK_REQUESTS = 400;
const IN_FLIGHT = 16;
const SAMPLES = 100;
/** Full within the first quarter: by their default size they would fill all the way, which looks like a leak. */
const SMALL_CACHES = {
  pd: { prefixCacheBytes: 8 * 1024 * 1024 },
  vision: { cacheBytes: 2 * 1024 * 1024 },
};

export const soakSuite: Suite = {
  name: 'soak',
  description: '20,000 requests of varied size on the embedded model: RSS, PSS, V8 heaps, arenas, KV memory',
  shows: 'memory stays flat: its peak in the last quarter is <= 1.05x of that in the second',
  async run({ quick }) {
    const requests = quick ? QUICK_REQUESTS : REQUESTS;
    const heaps = new HeapWatch();
    const engine = await Troupe.start({ mode: 'disaggregated', ...SMALL_CACHES });
    try {
      return soakResult(requests, await soak(engine, requests, new SampleTaker(engine, heaps)));
    } finally {
      await engine.stop();
      heaps.stop();
    }
  },
};

async function soak(engine: Troupe, requests: number, taker: SampleTaker): Promise<MemorySample[]> {
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
