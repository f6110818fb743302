import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { decodeModel, encodeModel } from '../../../../actors/model/onnx/onnx-proto.ts';
import type { OnnxNode } from '../../../../actors/model/onnx/onnx-types.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { PdEngine } from '../../../../actors/pd/engine/engine.ts';
import { int64s, intAttribute, node, TYPE, value } from '../../../fixtures/graphs/graph-builder.ts';
import { PILOT_MODEL } from '../../../support/pilot-model.ts';

/** The pilot model with one more node behind its logits. */
async function loadWithLogits(last: OnnxNode, type: 'float32' | 'int64', dims: string[]): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-logits-'));
  try {
    await cp(PILOT_MODEL, folder, { recursive: true });
    const path = join(folder, 'onnx', 'decoder_model_merged.onnx');
    const model = decodeModel(await readFile(path));
    const { graph } = model;
    assert(graph?.node !== undefined && graph.output !== undefined);
    for (const one of graph.node)
      one.output = one.output?.map((name) => (name === 'logits' ? 'scores' : name)) ?? [];
    graph.node.push(last);
    graph.initializer = [...(graph.initializer ?? []), int64s('first_axis', [0])];
    graph.output = graph.output.map((one) => (one.name === 'logits' ? value('logits', type, dims) : one));
    await writeFile(path, encodeModel(model));
    const engine = await PdEngine.load(await openModelDirectory(folder), {
      threads: 1,
      maxRunning: 1,
      maxWaiting: 1,
    });
    await engine.dispose();
  } finally {
    await rm(folder, { recursive: true });
  }
}

describe('a decoder whose logits nobody could read is refused when it is loaded', () => {
  it('for their type', async () => {
    const cast = node('Cast', ['scores'], ['logits'], [intAttribute('to', TYPE.int64)]);
    await assert.rejects(loadWithLogits(cast, 'int64', ['rows', 'positions', 'words']), {
      code: 'MODEL_UNSUPPORTED',
      message: /logits must be floats \[rows, positions, vocabulary\], there are int64 \[/,
    });
  });

  it('for their shape', async () => {
    const more = node('Unsqueeze', ['scores', 'first_axis'], ['logits']);
    await assert.rejects(loadWithLogits(more, 'float32', ['one', 'rows', 'positions', 'words']), {
      code: 'MODEL_UNSUPPORTED',
      message: /logits must be floats/,
    });
  });
});
