/**
 * One engine with a number of PD workers, in a process of its own; reports its memory once all of them have answered.
 * It is the built package, as users have it: a thread that strips types from TypeScript pays 10 MiB for that.
 *
 *     node --expose-gc worker-memory-child.ts MODEL_DIRECTORY DTYPE WORKERS PREFILL_ACTORS
 */
import process from 'node:process';
import { precisionOf } from '../generated-model/precision.ts';
import { processMemory } from '../process-memory.ts';

const built: typeof import('../../src/index.ts') = await import(
  new URL('../../dist-bench/src/index.js', import.meta.url).href
);

const [model = '', dtype, workers = '1', prefills = '0'] = process.argv.slice(2);
const count = Number(workers);

const engine = await built.Troupe.start({
  model,
  dtype: precisionOf(dtype),
  mode: 'disaggregated',
  pd: { count },
  prefill: { count: Number(prefills) },
});
const ask = () => engine.chat({ messages: [{ role: 'user', content: 'Is there a ring?' }], maxTokens: 8 });
await Promise.all(Array.from({ length: 4 * count }, ask));
const { actors } = await engine.stats();
const idle = actors.filter(({ name, stats }) => name.startsWith('pd/') && !hasWorked(stats));
if (idle.length > 0) throw new Error(`${idle.map(({ name }) => name).join(', ')} had nothing to do`);
await engine.clearCaches();
globalThis.gc?.();
process.send?.(processMemory());
await engine.stop();
process.disconnect?.();

function hasWorked(stats: object | undefined): boolean {
  return stats !== undefined && 'prefills' in stats && Number(stats.prefills) > 0;
}
