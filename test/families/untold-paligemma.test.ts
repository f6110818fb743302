/** PaliGemma in an export that is not told which tokens see later ones, and lets all new tokens of a run see each other. */
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeModel, encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import { goldensOf } from './support/family-goldens.ts';
import { goldenSuite } from './support/golden-suite.ts';

const TYPES = 'token_type_ids';
const INT64 = 7;

goldenSuite('paligemma', {
  cut: false,
  goldens: goldensOf('paligemma'),
  change: async (path) => {
    const file = join(path, 'onnx', 'decoder_model_merged.onnx');
    const model = decodeModel(await readFile(file));
    const { graph } = model;
    if (graph === undefined) throw new TypeError('no graph');
    graph.input = (graph.input ?? []).filter(({ name }) => name !== TYPES);
    const one = { dims: [1], dataType: INT64, rawData: new Uint8Array(BigInt64Array.of(1n).buffer) };
    graph.node = [
      { opType: 'Shape', input: ['position_ids'], output: ['untold_shape'] },
      {
        opType: 'ConstantOfShape',
        input: ['untold_shape'],
        output: [TYPES],
        attribute: [{ name: 'value', type: 4, t: one }],
      },
      ...(graph.node ?? []),
    ];
    await writeFile(file, encodeModel(model));
  },
});
