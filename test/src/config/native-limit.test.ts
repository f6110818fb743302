import assert from 'node:assert/strict';
import { it } from 'node:test';
import type { GraphFile } from '../../../actors/model/graph-files.ts';
import { nativeLimit } from '../../../src/config/native-limit.ts';

const CPU = { encoder: 'cpu', pd: 'cpu' } as const;

function graph(initializerBytes: Record<string, number>): GraphFile {
  const signature = { inputs: [], outputs: [], opTypes: [], externalData: [], initializerBytes };
  return { path: 'graph.onnx', dtype: 'fp32', signature };
}

// The 256M shape: 135 million weights of the decoder, 93 of the vision graph, 28 of the embeddings.
const FP32 = {
  vision: graph({ float32: 373_555_200 }),
  embed: graph({ float32: 113_541_120 }),
  decoder: graph({ float32: 540_311_552 }),
};
const Q4 = { ...FP32, vision: graph({ uint8: 63_012_864 }), decoder: graph({ uint8: 86_807_552 }) };

for (const [name, graphs] of Object.entries({ 'in 32 bits': FP32, 'in 4 bits': Q4 })) {
  it(`a model of 256 million weights that hangs in its first run is noticed within 30 s, ${name}`, () => {
    const limit = nativeLimit(graphs, CPU);
    assert(limit > 20_000 && limit < 28_000, String(limit));
  });
}

it('a graph of seven billion weights may take minutes for its first run', () => {
  assert(nativeLimit({ ...FP32, decoder: graph({ float32: 28e9 }) }, CPU) > 180_000);
});

it('on a GPU the first run compiles, and may take two minutes', () => {
  assert.equal(nativeLimit(FP32, { ...CPU, pd: 'webgpu' }), 120_000);
});
