import assert from 'node:assert/strict';
import {
  cp,
  mkdir,
  mkdtemp,
  readdir,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { OrtSession } from '../../../actors/inference/ort-session.ts';
import { CACHE_FOLDER_NAME } from '../../../actors/model/cache-roots.ts';
import { encodeModel } from '../../../actors/model/onnx/onnx-proto.ts';
import { type DecoderRewrite, rewrittenDecoder } from '../../../actors/model/rewrite/rewritten-decoder.ts';
import { writeWithExternalData } from '../../fixtures/graphs/external-data.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';
import { decoderGraph } from './support/model-fixture.ts';

const DECODER = join(PILOT_MODEL, 'onnx', 'decoder_model_merged.onnx');
const SHAPE = { heads: 4, kvHeads: 2, headDim: 32 };

/** A model directory with nothing but a decoder, and a user cache folder of its own. */
async function decoderFolder(t: TestContext, externalData = false): Promise<{ model: string; user: string }> {
  const root = await mkdtemp(join(tmpdir(), 'troupe-rewritten-'));
  const { XDG_CACHE_HOME, TROUPE_CACHE_DIR } = process.env;
  process.env.XDG_CACHE_HOME = join(root, 'user');
  process.env.LOCALAPPDATA = join(root, 'user');
  delete process.env.TROUPE_CACHE_DIR;
  t.after(async () => {
    restore('XDG_CACHE_HOME', XDG_CACHE_HOME);
    restore('TROUPE_CACHE_DIR', TROUPE_CACHE_DIR);
    await rm(root, { recursive: true });
  });
  const model = join(root, 'model');
  await mkdir(model);
  if (externalData) await writeWithExternalData(DECODER, join(model, 'decoder.onnx'));
  else await cp(DECODER, join(model, 'decoder.onnx'));
  return { model, user: join(root, 'user', 'troupe') };
}

function restore(name: string, value: string | undefined): void {
  if (value === undefined) delete process.env[name];
  else process.env[name] = value;
}

const rewrite = (model: string, shape = SHAPE) =>
  rewrittenDecoder({ modelPath: model, path: join(model, 'decoder.onnx'), shape });

/** Loads it as the language model's actor does. */
async function assertLoads(result: DecoderRewrite): Promise<void> {
  assert.ok(result.rewritten, result.rewritten ? '' : result.reason);
  const { path, externalDataFolder } = result;
  const session = await OrtSession.load(path, {
    threads: 1,
    ...(externalDataFolder === undefined ? {} : { externalDataFolder }),
  });
  assert.ok(session.outputs.has('new.3.value'));
  await session.release();
}

function pathOf(result: DecoderRewrite): string {
  assert.ok(result.rewritten);
  return result.path;
}

describe('the rewritten decoder on disk', () => {
  it('is kept beside the model', async (t) => {
    const { model } = await decoderFolder(t);
    const result = await rewrite(model);
    assert.match(relative(model, pathOf(result)), new RegExp(`^\\${CACHE_FOLDER_NAME}`));
    await assertLoads(result);
  });

  it('is made once, and anew when it is damaged', async (t) => {
    const { model } = await decoderFolder(t);
    const path = pathOf(await rewrite(model));
    const { ino } = await stat(path);
    assert.equal((await stat(pathOf(await rewrite(model)))).ino, ino, 'the same file');
    await truncate(path, 100);
    await assertLoads(await rewrite(model));
  });

  it('is another one for other content and for another shape', async (t) => {
    const { model } = await decoderFolder(t);
    const first = pathOf(await rewrite(model));
    await writeWithExternalData(DECODER, join(model, 'decoder.onnx'));
    assert.notEqual(pathOf(await rewrite(model)), first);
    assert.equal((await rewrite(model, { ...SHAPE, headDim: 16 })).rewritten, false);
  });

  it('leaves external data where it is', async (t) => {
    const { model } = await decoderFolder(t, true);
    const result = await rewrite(model);
    await assertLoads(result);
    const weights = await stat(join(model, 'decoder.onnx_data'));
    assert.ok((await stat(pathOf(result))).size < weights.size / 4, 'no copy of the weights');
  });

  it('finds external data behind links, as download caches lay it out', async (t) => {
    const { model } = await decoderFolder(t, true);
    const blobs = join(model, '..', 'blobs');
    await mkdir(blobs);
    for (const [name, blob] of [
      ['decoder.onnx', 'aa'],
      ['decoder.onnx_data', 'bb'],
    ] as const) {
      await rename(join(model, name), join(blobs, blob));
      await symlink(join(blobs, blob), join(model, name));
    }
    await assertLoads(await rewrite(model));
  });

  it('goes into the user’s cache folder when the model’s cannot be written', async (t) => {
    const { model, user } = await decoderFolder(t, true);
    // A file where the folder should be keeps every user out, root included.
    await writeFile(join(model, CACHE_FOLDER_NAME), '');
    const result = await rewrite(model);
    assert.match(relative(user, pathOf(result)), /^decoder-[0-9a-f]{64}/);
    await assertLoads(result);
    assert.deepEqual((await readdir(model)).sort(), [CACHE_FOLDER_NAME, 'decoder.onnx', 'decoder.onnx_data']);
  });

  it('is done without, and says why, when no folder can be written', async (t) => {
    const { model, user } = await decoderFolder(t);
    await writeFile(join(model, CACHE_FOLDER_NAME), '');
    await mkdir(join(user, '..'), { recursive: true });
    await writeFile(user, '');
    const result = await rewrite(model);
    assert.ok(!result.rewritten);
    assert.match(result.reason, /graph cache cannot be written: .*(EEXIST|ENOTDIR)/);
  });

  it('is not there for a decoder of an unknown kind, which says why', async (t) => {
    const { model } = await decoderFolder(t);
    await writeFile(join(model, 'decoder.onnx'), encodeModel(decoderGraph()));
    const result = await rewrite(model);
    assert.ok(!result.rewritten);
    assert.match(result.reason, /attention_mask/);
    assert.deepEqual(await readdir(join(model, CACHE_FOLDER_NAME)), []);
  });
});
