import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { test } from 'node:test';
import { decodeModel, encodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import { ATTRIBUTE_TYPE, type OnnxModel } from '../../../actors/model/onnx/onnx-types.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';

for (const name of ['vision_encoder', 'embed_tokens', 'decoder_model_merged']) {
  test(`${name} of the pilot model is the same bytes after decode and encode`, async () => {
    const bytes = await readFile(join(PILOT_MODEL, 'onnx', `${name}.onnx`));
    assert.equal(Buffer.compare(encodeModel(decodeModel(bytes)), bytes), 0);
  });
}

test('64-bit integers beyond the safe range survive', () => {
  const ints = [9223372036854775807n, -9223372036854775808n, 0n];
  const attribute = { name: 'ends', type: ATTRIBUTE_TYPE.ints, ints };
  const decoded = decodeModel(
    encodeModel({ graph: { node: [{ opType: 'Slice', attribute: [attribute] }] } }),
  );
  assert.deepEqual(decoded.graph?.node?.[0]?.attribute?.[0], attribute);
});

test('fields that hold their default value stay present', () => {
  const attribute = { name: 'axis', type: ATTRIBUTE_TYPE.int, i: 0n, f: 0 };
  const decoded = decodeModel(encodeModel({ graph: { node: [{ attribute: [attribute] }] } }));
  assert.deepEqual(decoded.graph?.node?.[0]?.attribute?.[0], attribute);
});

test('rare messages survive: functions, sparse tensors, subgraphs, training info, device placement', () => {
  const tensor = { name: 't', dims: [2n], dataType: 1, floatData: [1, -2] };
  const model: OnnxModel = {
    irVersion: 11n,
    functions: [
      { name: 'f', domain: 'd', input: ['a'], output: ['b'], attribute: ['alpha'], node: [{ opType: 'X' }] },
    ],
    trainingInfo: [{ algorithm: { name: 'step' }, updateBinding: [{ key: 'a', value: 'b' }] }],
    configuration: [{ name: 'two', numDevices: 2, device: ['0', '1'] }],
    graph: {
      sparseInitializer: [{ values: tensor, indices: { ...tensor, int64Data: [1n, 2n] }, dims: [9n] }],
      quantizationAnnotation: [
        { tensorName: 't', quantParameterTensorNames: [{ key: 'SCALE_TENSOR', value: 's' }] },
      ],
      node: [
        {
          opType: 'If',
          overload: 'o',
          attribute: [{ name: 'then_branch', type: ATTRIBUTE_TYPE.graph, g: { node: [{ opType: 'Add' }] } }],
          deviceConfigurations: [
            { configurationId: 'two', shardingSpec: [{ tensorName: 't', device: [0n, 1n] }] },
          ],
        },
      ],
    },
  };
  assert.deepEqual(decodeModel(encodeModel(model)), model);
});

test('a decoded model is plain data that can be cloned', async () => {
  const model = decodeModel(await readFile(join(PILOT_MODEL, 'onnx', 'embed_tokens.onnx')));
  assert.deepEqual(structuredClone(model).opsetImport, model.opsetImport);
});
