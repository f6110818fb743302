/**
 * Whether memory stayed flat. Heaps and allocators make a saw of it, whose slope says more of where its teeth fell than
 * of a leak; a leak lifts the peaks. Both are reported, the peaks are what counts. They are of anonymous memory: the
 * share of mapped files that PSS counts changes with the processes beside this one.
 */
import { linearRegression, max, median } from 'simple-statistics';
import type { LineChart, SuiteResult } from '../suite.ts';
import type { MemorySample } from './memory-sample.ts';

const MEBIBYTE = 2 ** 20;

type Read = (sample: MemorySample) => number;

const anonymous: Read = (sample) => sample.anonymous;

const SERIES: readonly { readonly name: string; readonly read: Read }[] = [
  { name: 'RSS', read: ({ rss }) => rss },
  { name: 'PSS', read: ({ pss }) => pss },
  { name: 'anonymous', read: anonymous },
  { name: 'V8 heaps', read: ({ heaps }) => heaps },
  { name: 'tensor arenas in use', read: ({ arenas }) => arenas },
  { name: 'KV buffers', read: ({ kv }) => kv },
];

/** @param samples in order, over all of `requests` */
export function soakResult(requests: number, samples: readonly MemorySample[]): SuiteResult {
  // In the first quarter caches fill, code is compiled, and pools find their size.
  const [, second = [], , last = []] = [0, 1, 2, 3].map((quarter) =>
    samples.filter((sample) => Math.min(3, Math.floor((4 * sample.requests) / requests)) === quarter),
  );
  const steady = samples.filter((sample) => sample.requests >= requests / 4);
  const count = requests.toLocaleString('en-US');
  return {
    figures: [
      {
        title: `Memory over ${count} requests, after the first quarter`,
        rows: SERIES.flatMap(({ name, read }) => [
          { name: `${name}, median`, value: median(steady.map(read)) / MEBIBYTE, unit: ' MiB' },
          { name: `${name}, growth per 1,000 requests`, value: slopeOf(steady, read), unit: ' MiB' },
        ]),
      },
    ],
    claims: [
      {
        text: 'Peak of anonymous memory in the last quarter of the run, against that in the second',
        measured: max(last.map(anonymous)) / max(second.map(anonymous)),
        unit: '×',
        goal: { atMost: 1.05 },
      },
    ],
    charts: [chartOf(`Memory over ${count} requests of varied size`, samples)],
  };
}

/** Mebibytes per 1,000 requests, by least squares. */
function slopeOf(samples: readonly MemorySample[], read: Read): number {
  return linearRegression(samples.map((sample) => [sample.requests / 1000, read(sample) / MEBIBYTE])).m;
}

function chartOf(title: string, samples: readonly MemorySample[]): LineChart {
  const lines = SERIES.map(({ name, read }) => ({
    name,
    points: samples.map((sample) => [sample.requests, read(sample) / MEBIBYTE] as const),
  }));
  return { kind: 'lines', name: 'soak', title, x: 'requests', y: 'MiB', lines };
}
