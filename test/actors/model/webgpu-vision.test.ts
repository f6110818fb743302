import assert from 'node:assert/strict';
import { copyFile, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { after, before, describe, it } from 'node:test';
import { readGraphSignature } from '../../../actors/model/onnx/graph-signature.ts';
import { webGpuVision } from '../../../actors/model/rewrite/webgpu-vision.ts';
import { FAMILIES } from '../../families/support/family-goldens.ts';

/** One with masks of keys, and one that has the operator without them. */
const [MASKED, PLAIN] = ['qwen2_5_vl', 'gemma3'];

describe('the vision graph for WebGPU', () => {
  let folder: string;
  const { TROUPE_CACHE_DIR: given } = process.env;
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-webgpu-'));
  });
  after(async () => {
    if (given === undefined) delete process.env.TROUPE_CACHE_DIR;
    else process.env.TROUPE_CACHE_DIR = given;
    await rm(folder, { recursive: true });
  });

  async function vision(family: string) {
    const path = join(folder, `${family}.onnx`);
    await copyFile(join(FAMILIES, family, 'onnx', 'vision_encoder.onnx'), path);
    return await webGpuVision({ modelPath: folder, path }, await readGraphSignature(path));
  }

  it('is rewritten where it masks keys', async () => {
    process.env.TROUPE_CACHE_DIR = join(folder, 'cache');
    const { rewrite } = await vision(MASKED ?? '');
    assert(rewrite?.rewritten);
    const { opTypes } = await readGraphSignature(rewrite.path);
    assert(opTypes.includes('CastLike'), opTypes.join(', '));
  });

  it('is left as it came where it does not, and nothing has to be kept', async () => {
    process.env.TROUPE_CACHE_DIR = join(folder, `${PLAIN}.onnx`, 'cache');
    assert.equal((await vision(PLAIN ?? '')).rewrite, undefined);
  });

  it('is refused, with the remedy, where it would have to be rewritten and cannot be kept', async () => {
    process.env.TROUPE_CACHE_DIR = join(folder, `${MASKED}.onnx`, 'cache');
    await assert.rejects(vision(MASKED ?? ''), (error: Error) => {
      assert.equal('code' in error && error.code, 'MODEL_UNSUPPORTED');
      assert.match(
        error.message,
        /masks of keys.*graph cache cannot be written.*TROUPE_CACHE_DIR.*device cpu/s,
      );
      return true;
    });
  });
});
