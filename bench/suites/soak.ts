/** Memory over thousands of requests of varied size on the embedded model. */
import process from 'node:process';
import { linearRegression, median } from 'simple-statistics';
import { Troupe } from '../../src/index.ts';
import { HeapWatch } from '../memory/heap-watch.ts';
import { type MemorySample, SampleTaker } from '../memory/memory-sample.ts';
import { VariedRequests } from '../memory/varied-requests.ts';
import type { Suite } from '../suite.ts';
import { TimedStream } from '../timed-stream.ts';

const REQUESTS = 20_000;
const QUICK_REQUESTS = 400;
const IN_FLIGHT = 16;
const SAMPLES = 100;
/** Share of the run in which caches fill, code is compiled, and pools find their size. */
const WARM_UP = 0.25;
const MEBIBYTE = 2 ** 20;

export const soakSuite: Suite = {
  name: 'soak',
  description: '20,000 requests of varied size on the embedded model: RSS, PSS, V8 heaps, arenas, KV memory',
  shows: 'memory stays flat: PSS grows by <= 5 % over the last three quarters',
  async run({ quick }) {
    const requests = quick ? QUICK_REQUESTS : REQUESTS;
    const heaps = new HeapWatch();
    const engine = await Troupe.start({ mode: 'disaggregated' });
    try {
      const samples = await soak(engine, requests, new SampleTaker(engine, heaps));
      const steady = samples.filter((sample) => sample.requests >= WARM_UP * requests);
      const trends = SERIES.map(({ name, read }) => ({ name, ...trendOf(steady, read) }));
      const pss = trends.find(({ name }) => name === 'PSS');
      return {
        figures: [
          {
            title: `Memory over ${requests.toLocaleString('en-US')} requests, after the first quarter`,
            rows: trends.flatMap(({ name, level, slope }) => [
              { name: `${name}, median`, value: level, unit: ' MiB' },
              { name: `${name}, growth per 1,000 requests`, value: slope, unit: ' MiB' },
            ]),
          },
        ],
        claims: [
          {
            text: 'Growth of PSS over the last three quarters of the run',
            measured: (100 * (pss?.growth ?? Number.NaN)) / (pss?.level ?? Number.NaN),
            unit: ' %',
            goal: { atMost: 5 },
          },
        ],
        charts: [
          {
            kind: 'lines',
            name: 'soak',
            title: `Memory over ${requests.toLocaleString('en-US')} requests of varied size`,
            x: 'requests',
            y: 'MiB',
            lines: SERIES.map(({ name, read }) => ({
              name,
              points: samples.map((sample) => [sample.requests, read(sample) / MEBIBYTE] as const),
            })),
          },
        ],
      };
    } finally {
      await engine.stop();
      heaps.stop();
    }
  },
};

const SERIES: readonly { readonly name: string; readonly read: (sample: MemorySample) => number }[] = [
  { name: 'RSS', read: ({ rss }) => rss },
  { name: 'PSS', read: ({ pss }) => pss },
  { name: 'anonymous', read: ({ anonymous }) => anonymous },
  { name: 'V8 heaps', read: ({ heaps }) => heaps },
  { name: 'tensor arenas in use', read: ({ arenas }) => arenas },
  { name: 'KV buffers', read: ({ kv }) => kv },
];

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

/** Mebibytes: the level, the growth per 1,000 requests by least squares, and over all of the samples. */
function trendOf(samples: readonly MemorySample[], read: (sample: MemorySample) => number) {
  const points = samples.map((sample) => [sample.requests / 1000, read(sample) / MEBIBYTE]);
  const { m: slope } = linearRegression(points);
  const [first, last] = [samples[0]?.requests ?? 0, samples.at(-1)?.requests ?? 0];
  const growth = (slope * (last - first)) / 1000;
  return { level: median(points.map(([, value = 0]) => value)), slope, growth };
}
