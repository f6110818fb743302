/** Asks for more GPU memory than there is in one piece, and prints how that ends. */

import { GpuMemory } from '../../actors/inference/gpu/gpu-memory.ts';
import { loadSmallGraph, node } from '../../actors/inference/gpu/small-graph.ts';
import { Tensor } from '../../actors/inference/onnxruntime.ts';
import { TroupeError } from '../../runtime/errors.ts';

const FLOATS = 300_000_000n;
const MOST_RUNS = 4;

const gpu = await GpuMemory.own('webgpu', 'a test');
const session = await loadSmallGraph(
  {
    inputs: [
      ['few', 'float32', 1],
      ['free', 'int64', 1],
    ],
    nodes: [node('Pad', ['few', 'free'], 'many')],
    outputs: [['many', 'float32', 1]],
  },
  gpu,
);
try {
  for (let run = 0; run < MOST_RUNS; run++) {
    const few = new Tensor('float32', new Float32Array(4), [4]);
    await session.run({ few, free: new Tensor('int64', BigInt64Array.of(0n, FLOATS), [2]) }, ['many']);
  }
  console.log('no end');
} catch (error) {
  const { code, retrySafe } = TroupeError.is(error) ? error : { code: String(error), retrySafe: false };
  console.log(JSON.stringify({ code, retrySafe, lost: gpu.lost === error }));
}
