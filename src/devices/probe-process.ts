/**
 * Tries a GPU provider in a process of its own, and says on standard output how it went. A driver can abort the process
 * that loads it, or hang: then it is this one.
 */

import { node, smallGraph } from '../../actors/inference/gpu/small-graph.ts';
import { InferenceSession, Tensor } from '../../actors/inference/onnxruntime.ts';
import { messageOf } from '../../runtime/util/realms.ts';

const graph = smallGraph({
  inputs: [
    ['a', 'float32', 1],
    ['b', 'float32', 1],
  ],
  nodes: [node('Add', ['a', 'b'], 'sum')],
  outputs: [['sum', 'float32', 1]],
});

async function tryProvider(name: string): Promise<string | undefined> {
  try {
    const session = await InferenceSession.create(graph, { executionProviders: [name], logSeverityLevel: 4 });
    const one = () => new Tensor('float32', Float32Array.of(1, 2), [2]);
    const { sum } = await session.run({ a: one(), b: one() });
    await session.release();
    const right = sum?.data[0] === 2 && sum.data[1] === 4;
    return right ? undefined : 'it computes wrong numbers';
  } catch (error) {
    return messageOf(error);
  }
}

const problem = await tryProvider(process.argv[2] ?? '');
process.stdout.write(`\n${JSON.stringify({ troupeProbe: problem ?? 'works' })}\n`);
