import assert from 'node:assert/strict';
import { cp, mkdir, mkdtemp, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { inspectModel, MODES, Troupe } from '../../src/index.ts';
import { writeWithExternalData } from '../fixtures/graphs/external-data.ts';
import { goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

describe('a model directory with mixed precisions and weights in files of their own', () => {
  let model: string;

  before(async () => {
    model = await mkdtemp(join(tmpdir(), 'troupe-model-'));
    await cp(PILOT_MODEL, model, { recursive: true });
    const graph = (name: string) => join(model, 'onnx', name);
    await rename(graph('embed_tokens.onnx'), graph('embed_tokens_int8.onnx'));
    await rename(graph('vision_encoder.onnx'), graph('vision_encoder_quantized.onnx'));
    await writeWithExternalData(graph('decoder_model_merged.onnx'), graph('decoder_model_merged_q4.onnx'));
    await rm(graph('decoder_model_merged.onnx'));
  });
  after(() => rm(model, { recursive: true }));

  it('is described with the files that were found', async () => {
    const { graphs } = await inspectModel({ model });
    assert.deepEqual(
      graphs.map(({ role, path, dtype, external }) => [role, path, dtype, external]),
      [
        ['vision', 'onnx/vision_encoder_quantized.onnx', 'q8', []],
        ['embed', 'onnx/embed_tokens_int8.onnx', 'int8', []],
        ['decoder', 'onnx/decoder_model_merged_q4.onnx', 'q4', ['decoder_model_merged_q4.onnx_data']],
      ],
    );
    const decoder = graphs.find(({ role }) => role === 'decoder');
    const original = await stat(join(PILOT_MODEL, 'onnx', 'decoder_model_merged.onnx'));
    assert((decoder?.bytes ?? 0) >= original.size);
  });

  for (const mode of MODES) {
    it(`answers like the original in ${mode} mode`, async () => {
      await using troupe = await Troupe.start({ model, mode });
      for (const one of goldens.slice(0, 4)) {
        assert.deepEqual((await troupe.chat({ messages: goldenMessages(one) })).tokenIds, one.tokenIds);
      }
    });
  }

  it('is refused when a file with weights is missing', async () => {
    const broken = join(model, 'broken');
    await mkdir(broken);
    try {
      await cp(PILOT_MODEL, broken, { recursive: true });
      const source = join(broken, 'onnx', 'decoder_model_merged.onnx');
      await writeWithExternalData(source, source);
      await rm(`${source}_data`);
      await assert.rejects(Troupe.start({ model: broken }), {
        name: 'ModelError',
        code: 'MODEL_FILE_MISSING',
        message: /decoder_model_merged\.onnx_data/,
      });
    } finally {
      await rm(broken, { recursive: true });
    }
  });
});

describe('a model whose decoder cannot be rewritten here', () => {
  it('runs as it came, with the same answers', async (t) => {
    const folder = await mkdtemp(join(tmpdir(), 'troupe-plain-'));
    const before = process.env.TROUPE_CACHE_DIR;
    // A file: no folder can be made in it, whoever runs the tests.
    process.env.TROUPE_CACHE_DIR = join(folder, 'file', 'cache');
    await writeFile(join(folder, 'file'), '');
    t.after(async () => {
      if (before === undefined) delete process.env.TROUPE_CACHE_DIR;
      else process.env.TROUPE_CACHE_DIR = before;
      await rm(folder, { recursive: true });
    });
    assert.equal((await inspectModel({ model: PILOT_MODEL })).decoder.rewritten, false);
    await using troupe = await Troupe.start({ model: PILOT_MODEL });
    const some = goldens.slice(0, 6);
    const answers = await Promise.all(some.map((one) => troupe.chat({ messages: goldenMessages(one) })));
    assert.deepEqual(
      answers.map(({ tokenIds }) => tokenIds),
      some.map(({ tokenIds }) => tokenIds),
    );
    assert.ok(answers.every(({ usage }) => usage.cachedTokens === 0));
  });
});
