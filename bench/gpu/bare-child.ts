/**
 * Bare graphs in a process of their own: what is compared should not share a runtime.
 *
 *     node bare-child.ts MODEL_DIRECTORY DTYPE PROVIDER
 */
import process from 'node:process';
import { failureOf } from '../asked-child.ts';
import { precisionOf } from '../generated-model/precision.ts';
import { BareGraphs } from './bare-graphs.ts';
import type { BareTask } from './bare-task.ts';

const [path = '', dtype, provider] = process.argv.slice(2);

try {
  const graphs = await BareGraphs.open(path, precisionOf(dtype), provider === 'webgpu' ? 'webgpu' : 'cpu');
  process.on('message', async (task: BareTask) => {
    process.send?.(await graphs.answer(task).catch(failureOf));
  });
  process.send?.('ready');
} catch (error) {
  process.send?.(failureOf(error));
}
