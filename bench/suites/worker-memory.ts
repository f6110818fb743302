/** What a second PD worker adds to the process, as a share of the weights that it computes with. */
import { median } from 'simple-statistics';
import type { GraphFile } from '../../actors/model/model-directory.ts';
import { BenchModel } from '../bench-model.ts';
import { buildPackage } from '../build-package.ts';
import { childMessage } from '../child-message.ts';
import type { Precision } from '../generated-model/precision.ts';
import { longCalls } from '../measure.ts';
import type { ProcessMemory } from '../process-memory.ts';
import type { Claim, FigureTable, Suite } from '../suite.ts';

const MEBIBYTE = 2 ** 20;
const WEIGHTS = 'weights (decoder and embeddings)';
const FIELDS = ['anonymous', 'pss', 'rss'] as const;

export const workerMemorySuite: Suite = {
  name: 'worker-memory',
  description: 'memory that a second PD worker adds, and a prefill actor, fp32 and q4',
  shows: 'anonymous memory grows by <= 15 % of the weights (/proc/self/smaps_rollup)',
  async run(options) {
    const figures: FigureTable[] = [];
    const claims: Claim[] = [];
    buildPackage();
    const precisions: readonly Precision[] = options.dtype === undefined ? ['fp32', 'q4'] : [options.dtype];
    for (const dtype of precisions) {
      const model = await BenchModel.open(options, dtype);
      const { decoder, embed } = model.directory.graphs;
      const weights = weightBytes(decoder) + weightBytes(embed);
      const turns: Turn[] = [];
      for (let round = 0; round < longCalls(options).rounds; round++) {
        const one = await memoryOf(model, 1);
        turns.push({ one, two: await memoryOf(model, 2), helped: await memoryOf(model, 1, 1) });
      }
      const row = (name: string, bytes: number) => ({ name, value: bytes / MEBIBYTE, unit: ' MiB' });
      const added = (field: keyof ProcessMemory, by: 'two' | 'helped' = 'two') =>
        median(turns.map((turn) => turn[by][field] - turn.one[field]));
      figures.push({
        title: `Memory of PD workers, ${model.label}`,
        rows: [
          row(WEIGHTS, weights),
          ...FIELDS.map((field) => row(`one worker, ${field}`, median(turns.map(({ one }) => one[field])))),
          ...FIELDS.map((field) => row(`a second worker adds, ${field}`, added(field))),
          ...FIELDS.map((field) => row(`a prefill actor adds, ${field}`, added(field, 'helped'))),
        ],
      });
      claims.push({
        text: `Anonymous memory of a second PD worker, share of its weights, ${dtype}`,
        measured: (100 * added('anonymous')) / weights,
        unit: ' %',
        goal: { atMost: 15 },
      });
    }
    const bars = figures.flatMap(({ title, rows }) =>
      rows
        .filter(({ name }) => name === WEIGHTS || name === 'a second worker adds, anonymous')
        .map(({ name, value }) => ({ group: title, name, value })),
    );
    const title = 'What a second PD worker adds';
    return { figures, claims, charts: [{ kind: 'bars', name: 'worker-memory', title, y: 'MiB', bars }] };
  },
};

interface Turn {
  readonly one: ProcessMemory;
  readonly two: ProcessMemory;
  /** One worker and a prefill actor. */
  readonly helped: ProcessMemory;
}

function weightBytes(graph: GraphFile | undefined): number {
  return Object.values(graph?.signature.initializerBytes ?? {}).reduce((sum, bytes) => sum + bytes, 0);
}

function memoryOf({ directory, dtype }: BenchModel, workers: number, prefills = 0): Promise<ProcessMemory> {
  const script = new URL('../memory/worker-memory-child.ts', import.meta.url);
  const args = [directory.path, dtype, String(workers), String(prefills)];
  return childMessage<ProcessMemory>(`an engine with ${workers} workers`, script, args, ['--expose-gc']);
}
