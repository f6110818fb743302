import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { floatData, OrtSession } from '../../../actors/inference/ort-session.ts';
import { encodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import { node, value } from '../../fixtures/graphs/graph-builder.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';

const EMBED = join(PILOT_MODEL, 'onnx', 'embed_tokens.onnx');

describe('loading a graph', () => {
  let folder: string;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-graphs-'));
  });
  after(() => rm(folder, { recursive: true }));

  async function loadFails(
    name: string,
    bytes: Uint8Array | string | undefined,
    code: string,
  ): Promise<void> {
    const path = join(folder, name);
    if (bytes !== undefined) await writeFile(path, bytes);
    await assert.rejects(OrtSession.load(path, { threads: 1 }), (error) => {
      assert.ok(TroupeError.is(error));
      assert.equal(error.code, code, error.message);
      assert.doesNotMatch(error.message, /\n/, 'one line');
      assert.ok(error.message.includes(path), 'names the file');
      return true;
    });
  }

  it('gives its inputs and outputs by name', async () => {
    const session = await OrtSession.load(EMBED, { threads: 1 });
    assert.equal(session.inputs.get('input_ids')?.type, 'int64');
    assert.deepEqual(session.outputs.get('inputs_embeds')?.shape.at(-1), 128);
    await session.release();
  });

  it('that is not there: MODEL_FILE_MISSING', () =>
    loadFails('missing.onnx', undefined, 'MODEL_FILE_MISSING'));

  it('that was cut off: MODEL_FILE_CORRUPT', async () => {
    const bytes = await readFile(EMBED);
    await loadFails('cut.onnx', bytes.subarray(0, bytes.length / 2), 'MODEL_FILE_CORRUPT');
  });

  it('that is empty: MODEL_FILE_CORRUPT', () => loadFails('empty.onnx', '', 'MODEL_FILE_CORRUPT'));

  it('that is a Git LFS pointer: MODEL_FILE_CORRUPT', () =>
    loadFails('pointer.onnx', 'version https://git-lfs.github.com/spec/v1\n', 'MODEL_FILE_CORRUPT'));

  it('with an operator that onnxruntime does not have: MODEL_UNSUPPORTED', async () => {
    const graph = {
      name: 'unknown',
      node: [node('FrobnicateTensor', ['x'], ['y'])],
      input: [value('x', 'float32', [1])],
      output: [value('y', 'float32', [1])],
    };
    const model = encodeModel({ irVersion: 8, opsetImport: [{ domain: '', version: 17 }], graph });
    await loadFails('unknown.onnx', model, 'MODEL_UNSUPPORTED');
  });
});

describe('running a graph', () => {
  let session: OrtSession;
  before(async () => {
    session = await OrtSession.load(EMBED, { threads: 1 });
  });
  after(() => session.release());

  const ids = (...values: number[]) => ({
    input_ids: new Tensor('int64', BigInt64Array.from(values, BigInt), [1, values.length]),
  });

  it('gives the outputs asked for', async () => {
    const outputs = await session.run(ids(1, 2), ['inputs_embeds']);
    assert.equal(floatData(outputs.inputs_embeds).length, 2 * 128);
  });

  it('writes into a tensor of the caller, shared memory too', async () => {
    const target = new Float32Array(new SharedArrayBuffer(2 * 128 * 4));
    await session.run(ids(1, 2), { inputs_embeds: new Tensor('float32', target, [1, 2, 128]) });
    const outputs = await session.run(ids(1, 2), ['inputs_embeds']);
    assert.deepEqual([...target], [...floatData(outputs.inputs_embeds)]);
  });

  it('that fails gives MODEL_RUN_FAILED in one line, and the session stays usable', async () => {
    await assert.rejects(session.run(ids(123_456), ['inputs_embeds']), (error) => {
      assert.ok(TroupeError.is(error));
      assert.equal(error.code, 'MODEL_RUN_FAILED');
      assert.doesNotMatch(error.message, /\n/);
      return true;
    });
    await session.run(ids(1), ['inputs_embeds']);
  });

  it('is released once, however often it is asked for', async () => {
    const other = await OrtSession.load(EMBED, { threads: 1 });
    await Promise.all([other.release(), other.release()]);
  });
});
