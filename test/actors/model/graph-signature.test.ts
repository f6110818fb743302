import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { graphSignature, readGraphSignature } from '../../../actors/model/onnx/graph-signature.ts';
import { ATTRIBUTE_TYPE, DATA_LOCATION_EXTERNAL } from '../../../actors/model/onnx/onnx-types.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';
import { code, graph, value } from './support/model-fixture.ts';

const DECODER = join(PILOT_MODEL, 'onnx', 'decoder_model_merged.onnx');

test('inputs and outputs come with element type and with fixed and symbolic sizes', async () => {
  const { inputs, outputs } = await readGraphSignature(DECODER);
  assert.deepEqual(inputs[0], {
    name: 'inputs_embeds',
    type: 'float32',
    dims: ['batch_size', 'sequence_length', 128],
  });
  assert.deepEqual(inputs[1], {
    name: 'attention_mask',
    type: 'int64',
    dims: ['batch_size', 'total_sequence_length'],
  });
  assert.equal(outputs[0]?.name, 'logits');
  assert.equal(outputs.length, 9);
});

test('weights listed among the inputs are no inputs', () => {
  const model = graph({ x: ['n'], w: [2] }, [{ name: 'w', dims: [2], dataType: 1, floatData: [1, 2] }]);
  assert.deepEqual(
    graphSignature(model).inputs.map(({ name }) => name),
    ['x'],
  );
});

test('operators of subgraphs and functions count, foreign ones with their domain', () => {
  const model = graph({ x: ['n'] });
  const branch = { node: [{ opType: 'MatMulNBits', domain: 'com.microsoft' }] };
  model.graph?.node?.push({
    opType: 'If',
    attribute: [{ name: 'then_branch', type: ATTRIBUTE_TYPE.graph, g: branch }],
  });
  model.functions = [{ name: 'f', node: [{ opType: 'Relu', domain: 'ai.onnx' }] }];
  assert.deepEqual(graphSignature(model).opTypes, ['Identity', 'If', 'Relu', 'com.microsoft.MatMulNBits']);
});

test('external weights give each file once, with the last byte that is needed', () => {
  const external = (name: string, place: Record<string, string>) => ({
    name,
    dims: [4n],
    dataType: 1,
    dataLocation: DATA_LOCATION_EXTERNAL,
    externalData: Object.entries(place).map(([key, one]) => ({ key, value: one })),
  });
  const model = graph({ x: ['n'] }, [
    external('a', { location: 'w.onnx_data', offset: '16', length: '16' }),
    external('b', { location: 'w.onnx_data' }),
    external('c', { location: 'w.onnx_data_1', offset: '64' }),
  ]);
  assert.deepEqual(graphSignature(model).externalData, [
    { location: 'w.onnx_data', byteLength: 32 },
    { location: 'w.onnx_data_1', byteLength: 80 },
  ]);
});

test('weights are summed by element type, 4-bit values two to a byte', () => {
  const model = graph({ x: ['n'] }, [
    { name: 'a', dims: [2, 3], dataType: 1 },
    { name: 'b', dims: [5], dataType: 22 },
    { name: 'c', dims: [], dataType: 7 },
  ]);
  assert.deepEqual(graphSignature(model).initializerBytes, { float32: 24, int4: 3, int64: 8 });
});

test('a value that is no tensor has no type', () => {
  const model = graph({ x: ['n'] });
  model.graph?.output?.push({ name: 'list', type: { sequenceType: { elemType: value('', []).type ?? {} } } });
  assert.deepEqual(graphSignature(model).outputs.at(-1), { name: 'list', type: '', dims: [] });
});

async function fileWith(t: TestContext, bytes: Uint8Array): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-graph-'));
  t.after(() => rm(folder, { recursive: true }));
  const path = join(folder, 'graph.onnx');
  await writeFile(path, bytes);
  return path;
}

test('a truncated file is corrupt', async (t) => {
  const bytes = await readFile(DECODER);
  const path = await fileWith(t, bytes.subarray(0, bytes.length / 2));
  await assert.rejects(readGraphSignature(path), code('MODEL_FILE_CORRUPT'));
});

test('a file of something else is corrupt', async (t) => {
  const path = await fileWith(t, Buffer.from('<html>404 Not Found</html>'));
  await assert.rejects(readGraphSignature(path), code('MODEL_FILE_CORRUPT'));
});

test('an empty file is corrupt', async (t) => {
  await assert.rejects(readGraphSignature(await fileWith(t, new Uint8Array())), code('MODEL_FILE_CORRUPT'));
});

test('a pointer to a large file in place of the file is corrupt', async (t) => {
  const pointer = 'version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 3052244\n';
  await assert.rejects(
    readGraphSignature(await fileWith(t, Buffer.from(pointer))),
    code('MODEL_FILE_CORRUPT'),
  );
});

test('a missing file is named as missing', async () => {
  await assert.rejects(readGraphSignature('/nowhere/graph.onnx'), code('MODEL_FILE_MISSING'));
});
