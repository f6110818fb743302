/**
 * Aggregated against disaggregated on a GPU, and both against the CPU of the same machine: whole requests about
 * pictures. Each arrangement is an engine in a process of its own, and all are asked the same by turns.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type Comparison, compareSides } from '../gpu/compare.ts';
import { greedyParity } from '../gpu/greedy-parity.ts';
import { embeddedLoads, generatedLoads } from '../gpu/loads.ts';
import { whyNoGpu } from '../gpu/why-no-gpu.ts';
import type { BarChart, Suite, Table } from '../suite.ts';

export const gpuSuite: Suite = {
  name: 'gpu',
  description:
    'aggregated and disaggregated on a GPU (WebGPU) against the CPU, 1, 4 and 16 requests at a time',
  shows: "greedy tokens equal the CPU's on >= 99 % of 200 prompts; skipped where no GPU can be used",
  async run(options) {
    const reason = await whyNoGpu();
    if (reason !== undefined) return { skipped: reason };
    const dtype = options.dtype ?? 'fp32';
    const folder = await mkdtemp(join(tmpdir(), 'troupe-gpu-'));
    try {
      const claims = await greedyParity(options, dtype);
      const comparisons: Comparison[] = [await compareSides(embeddedLoads(options, dtype), options)];
      // A software driver takes minutes for one picture of the large model, so a short look goes without.
      if (!options.quick) {
        comparisons.push(await compareSides(await generatedLoads(options, dtype, folder), options));
      }
      const tables = comparisons.flatMap((one) => one.tables);
      return {
        tables,
        figures: comparisons.flatMap((one) => one.figures),
        claims,
        charts: [outputTokens(tables)],
      };
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

function outputTokens(tables: readonly Table[]): BarChart {
  const title = 'Output tokens a second';
  const bars = tables
    .filter(({ unit }) => unit === 'output token')
    .flatMap(({ title: group, rows }) => rows.map(({ name, perSecond: value }) => ({ group, name, value })));
  return { kind: 'bars', name: 'gpu', title, y: title, bars };
}
