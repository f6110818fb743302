/** `models/export`, run as a program on checkpoints made of the fixtures. */
import assert from 'node:assert/strict';
import { mkdtemp, readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { InferenceSession, Tensor } from '../../actors/inference/onnxruntime.ts';
import { decodeModel, encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import type { OnnxGraph } from '../../actors/model/onnx/onnx-types.ts';
import { GraphEditor } from '../../actors/model/rewrite/graph-editor.ts';
import { Troupe } from '../../src/index.ts';
import {
  constantsOf,
  familyNames,
  fixturePath,
  headerOf,
  STORAGES,
  weightIn,
  writeCheckpoint,
} from './support/checkpoint.ts';
import { runBeside, runExporter, runSnippet, whyNoExporter } from './support/exporter.ts';

const GRAPHS = ['decoder_model_merged.onnx', 'embed_tokens.onnx', 'vision_encoder.onnx'];
/** Families whose graphs hold every weight that counts as it is in the checkpoint, or transposed. */
const RESTORABLE = ['idefics3', 'llava', 'llava_onevision', 'mistral3'];

/** As `models/export/make_fixtures.py` has them. */
const PUBLISHED = {
  llava: 'no-position-ids,concat,num-logits-to-keep,flat-features',
  qwen2_vl: 'grid-thw,num-logits-to-keep,batched-features',
  qwen3_vl: 'no-deepstack,num-logits-to-keep',
  gemma3: 'causal,num-logits-to-keep',
};

async function graphOf(folder: string, name: string): Promise<OnnxGraph> {
  const { graph } = decodeModel(await readFile(join(folder, 'onnx', name)));
  assert(graph !== undefined);
  return graph;
}

function exportInto(checkpoint: string, out: string, ...options: string[]): void {
  const { code, stderr } = runExporter(checkpoint, out, ...options);
  assert.equal(code, 0, stderr);
}

async function restore(family: string, folder: string): Promise<void> {
  const constants = await constantsOf(family);
  await writeCheckpoint(family, folder, (name, shape) => weightIn(constants, name, shape));
}

describe('the exporter', { skip: whyNoExporter() }, async () => {
  const families = await familyNames();
  let folder = '';
  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-export-'));
  });
  after(() => rm(folder, { recursive: true }));

  for (const family of families) {
    it(`writes the files and the operators of the fixture: ${family}`, async () => {
      const [checkpoint, out] = [join(folder, `${family}-zeros`), join(folder, `${family}-of-zeros`)];
      await writeCheckpoint(family, checkpoint, () => undefined);
      exportInto(checkpoint, out);
      for (const name of GRAPHS) {
        const [made, kept] = await Promise.all([graphOf(out, name), graphOf(fixturePath(family), name)]);
        assert.deepEqual(made.node, kept.node, name);
        assert.deepEqual([made.input, made.output], [kept.input, kept.output], name);
        const shapes = ({ initializer = [] }: OnnxGraph) =>
          initializer.map((one) => [one.name, one.dataType, one.dims]);
        assert.deepEqual(shapes(made), shapes(kept), name);
      }
      for (const name of (await readdir(out)).filter((one) => one !== 'onnx')) {
        const [made, kept] = await Promise.all(
          [out, fixturePath(family)].map((path) => readFile(join(path, name), 'utf8')),
        );
        assert.equal(made, kept, name);
      }
    });
  }

  for (const [family, variants] of Object.entries(PUBLISHED)) {
    it(`writes the operators of the published fixture: ${family}`, async () => {
      const [checkpoint, out] = [join(folder, `${family}-plain`), join(folder, `${family}-published`)];
      await writeCheckpoint(family, checkpoint, () => undefined);
      exportInto(checkpoint, out, '--published', variants);
      const kept = join(fixturePath('published'), family);
      for (const name of await readdir(join(kept, 'onnx'))) {
        const [made, fixture] = await Promise.all([graphOf(out, name), graphOf(kept, name)]);
        assert.deepEqual(made.node, fixture.node, name);
        assert.deepEqual([made.input, made.output], [fixture.input, fixture.output], name);
      }
    });
  }

  for (const family of RESTORABLE) {
    it(`writes the weights of the fixture, and the constants that it computes: ${family}`, async () => {
      const [checkpoint, out] = [join(folder, family), join(folder, `${family}-exported`)];
      await restore(family, checkpoint);
      exportInto(checkpoint, out);
      for (const name of GRAPHS) {
        const [made, kept] = await Promise.all([graphOf(out, name), graphOf(fixturePath(family), name)]);
        assert.deepEqual(made.initializer, kept.initializer, name);
      }
    });
  }

  it('reads weights of every width to the same values', async () => {
    // Of few enough bits for bfloat16.
    const values = (_: string, shape: readonly number[]) =>
      Float32Array.from({ length: shape.reduce((a, b) => a * b, 1) }, (_one, i) => ((i * 37) % 101) / 64);
    const bytes = [];
    for (const storage of Object.values(STORAGES)) {
      const [checkpoint, out] = [join(folder, storage.dtype), join(folder, `of-${storage.dtype}`)];
      await writeCheckpoint('llava', checkpoint, values, storage);
      exportInto(checkpoint, out);
      bytes.push(await readFile(join(out, 'onnx', 'decoder_model_merged.onnx')));
    }
    const [first, ...others] = bytes;
    for (const one of others) assert.deepEqual(one, first);
  });

  it('writes the weights of a large graph beside it', async () => {
    const [checkpoint, out] = [join(folder, 'large'), join(folder, 'large-exported')];
    await restore('idefics3', checkpoint);
    const program = 'import builder, export, sys; builder.INLINE_LIMIT = 1 << 17; sys.exit(export.main())';
    const { code, stderr } = runSnippet(program, checkpoint, out);
    assert.equal(code, 0, stderr);
    assert((await stat(join(out, 'onnx', 'decoder_model_merged.onnx_data'))).size > 1 << 17);
    const config = JSON.parse(await readFile(join(out, 'config.json'), 'utf8'));
    assert.equal(config['transformers.js_config'].use_external_data_format['decoder_model_merged.onnx'], 1);
    assert.deepEqual(await answer(out, {}), await goldenTokens());
  });

  for (const [dtype, alike] of [
    ['fp16', 24],
    ['q8', 0],
    ['q4', 0],
  ] as const) {
    it(`writes ${dtype}, which Troupe answers with`, async () => {
      const [checkpoint, out] = [join(folder, `${dtype}-source`), join(folder, dtype)];
      await restore('idefics3', checkpoint);
      exportInto(checkpoint, out, '--dtype', dtype);
      const tokenIds = await answer(out, { dtype });
      assert.equal(tokenIds.length, 24);
      const exact = await goldenTokens();
      const first = tokenIds.findIndex((id, i) => id !== exact[i]);
      assert((first === -1 ? tokenIds.length : first) >= alike, `${first} tokens as in float32`);
      assert.deepEqual(await answer(out, { dtype, mode: 'disaggregated' }), tokenIds);
    });
  }

  for (const family of ['llava_onevision', 'mistral3']) {
    it(`refuses integrated encoding of images that need a run each: ${family}`, async () => {
      const [checkpoint, out] = [join(folder, `${family}-apart`), join(folder, `${family}-together`)];
      await writeCheckpoint(family, checkpoint, () => undefined);
      const { code, stderr } = runExporter(checkpoint, out, '--integrated');
      assert.equal(code, 1);
      assert.match(stderr, new RegExp(`${family}.*one image a run`));
    });
  }

  it('writes integrated encoding, whose answers are the same', async () => {
    const [checkpoint, out] = [join(folder, 'integrated'), join(folder, 'integrated-exported')];
    await restore('idefics3', checkpoint);
    exportInto(checkpoint, out, '--integrated');
    assert.deepEqual(await readdir(join(out, 'onnx')), ['decoder_model_merged.onnx']);
    assert.deepEqual(await answer(out, {}), await goldenTokens());
  });

  it('writes windows of Gemma 3 that hold within an image as well, where one is longer', async () => {
    const [checkpoint, out] = [join(folder, 'narrow'), join(folder, 'narrow-exported')];
    await writeCheckpoint('gemma3', checkpoint, () => undefined);
    const file = join(checkpoint, 'config.json');
    const config = JSON.parse(await readFile(file, 'utf8'));
    const window = 3;
    await writeFile(
      file,
      JSON.stringify({ ...config, text_config: { ...config.text_config, sliding_window: window } }),
    );
    exportInto(checkpoint, out);
    const model = decodeModel(await readFile(join(out, 'onnx', 'decoder_model_merged.onnx')));
    assert(model.graph !== undefined);
    model.graph.output = [{ name: 'bias_window', type: { tensorType: { elemType: 1 } } }];
    new GraphEditor(model).finish();
    await writeFile(join(out, 'mask.onnx'), encodeModel(model));
    const session = await InferenceSession.create(join(out, 'mask.onnx'), { intraOpNumThreads: 1 });
    const groups = [0, 1, 1, 1, 1, 1, 0, 0, 2, 2];
    const { length } = groups;
    const int64s = (values: readonly number[]) =>
      new Tensor('int64', BigInt64Array.from(values, BigInt), [1, length]);
    const given = new Map<string, Tensor>();
    for (const name of session.inputNames) given.set(name, new Tensor(new Float32Array(0), [1, 2, 0, 16]));
    const own = {
      inputs_embeds: new Tensor('float32', new Float32Array(length * 64), [1, length, 64]),
      attention_mask: int64s(groups.map(() => 1)),
      token_type_ids: int64s(groups),
    };
    for (const [name, tensor] of Object.entries(own)) given.set(name, tensor);
    given.set('position_ids', int64s(groups));
    const { bias_window } = await session.run(Object.fromEntries(given));
    assert(bias_window?.data instanceof Float32Array);
    const visible = [...bias_window.data].map((bias) => bias === 0);
    const expected = groups.flatMap((group, query) =>
      groups.map((other, key) => query - key < window && (key <= query || (group > 0 && group === other))),
    );
    assert.deepEqual(visible, expected);
  });

  it('writes Gemma 2, the language model of PaliGemma 2, as numpy computes it', async () => {
    const out = await mkdtemp(join(folder, 'gemma2-'));
    const { code, stderr } = runBeside('gemma2.py', out);
    assert.equal(code, 0, stderr);
    const expected = JSON.parse(await readFile(join(out, 'expected.json'), 'utf8'));
    const session = await InferenceSession.create(join(out, 'decoder.onnx'), { intraOpNumThreads: 1 });
    const { length } = expected.groups;
    const int64s = (values: readonly number[]) =>
      new Tensor('int64', BigInt64Array.from(values, BigInt), [1, length]);
    const none = session.inputNames.filter((name) => name.startsWith('past_key_values.'));
    const { logits } = await session.run({
      inputs_embeds: new Tensor('float32', Float32Array.from(expected.inputs_embeds), [1, length, 64]),
      attention_mask: int64s(Array(length).fill(1)),
      position_ids: int64s(Array.from({ length }, (_, i) => i + 1)),
      token_type_ids: int64s(expected.groups),
      ...Object.fromEntries(none.map((name) => [name, new Tensor('float32', [], [1, 2, 0, 16])])),
    });
    const values = logits?.data as Float32Array;
    assert.equal(values.length, expected.logits.length);
    const largest = values.reduce((most, one, i) => Math.max(most, Math.abs(one - expected.logits[i])), 0);
    assert(largest < 1e-4, String(largest));
  });

  it('says what it cannot export, and leaves with 1', async () => {
    const refusals: [string, (config: Record<string, unknown>) => void, RegExp][] = [
      [
        'model_type',
        (config) => Object.assign(config, { model_type: 'kosmos-2' }),
        /model_type is "kosmos-2"; exported are llava, /,
      ],
      [
        'activation',
        (config) => Object.assign(config.text_config ?? {}, { hidden_act: 'relu6' }),
        /hidden_act "relu6" is not exported/,
      ],
      [
        'rope',
        (config) => Object.assign(config.text_config ?? {}, { rope_parameters: { rope_type: 'longrope' } }),
        /rope_type "longrope" is not exported/,
      ],
      [
        'yarn',
        (config) =>
          Object.assign(config.text_config ?? {}, { rope_parameters: { rope_type: 'yarn', factor: 2 } }),
        /rope_type "yarn" needs original_max_position_embeddings/,
      ],
      [
        'heads',
        (config) => Object.assign(config.text_config ?? {}, { num_attention_heads: 3 }),
        /name head counts and head_dim/,
      ],
      [
        'layers',
        (config) => Object.assign(config.text_config ?? {}, { num_hidden_layers: 2 }),
        /num_hidden_layers is 2, and there are more/,
      ],
    ];
    for (const [name, change, message] of refusals) {
      const checkpoint = join(folder, `refused-${name}`);
      await writeCheckpoint('llava', checkpoint, () => undefined);
      const config = JSON.parse(await readFile(join(checkpoint, 'config.json'), 'utf8'));
      change(config);
      await writeFile(join(checkpoint, 'config.json'), JSON.stringify(config));
      const { code, stderr } = runExporter(checkpoint, join(folder, `not-${name}`));
      assert.equal(code, 1, name);
      assert.match(stderr, message);
      assert.doesNotMatch(stderr, /Traceback/);
    }
  });

  it("reads Qwen's first way to write config.json, and writes sizes wherever readers look", async () => {
    const checkpoint = join(folder, 'flat');
    await writeCheckpoint('qwen2_vl', checkpoint, () => undefined);
    const file = (path: string) => join(path, 'config.json');
    const { text_config: text, ...rest } = JSON.parse(await readFile(file(checkpoint), 'utf8'));
    const { model_type, ...settings } = text;
    await writeFile(file(checkpoint), JSON.stringify({ ...settings, ...rest }));
    const out = join(folder, 'flat-exported');
    exportInto(checkpoint, out);
    const name = 'decoder_model_merged.onnx';
    const [made, kept] = await Promise.all([graphOf(out, name), graphOf(fixturePath('qwen2_vl'), name)]);
    assert.deepEqual(made.node, kept.node);
    const { text_config: written } = JSON.parse(await readFile(file(out), 'utf8'));
    for (const [key, value] of Object.entries(text)) assert.deepEqual(written[key], value, key);
    assert.equal(written.model_type, model_type);

    const [nested, top] = [join(folder, 'nested'), join(folder, 'nested-exported')];
    await writeCheckpoint('qwen2_vl', nested, () => undefined);
    exportInto(nested, top, '--published', 'grid-thw');
    const config = JSON.parse(await readFile(file(top), 'utf8'));
    assert.equal(config.num_hidden_layers, text.num_hidden_layers);
    assert.equal(config.model_type, 'qwen2_vl');
  });

  it('says which variant a family does not have', async () => {
    const checkpoint = join(folder, 'no-variant');
    await writeCheckpoint('llava', checkpoint, () => undefined);
    for (const [variant, message] of [
      ['grid-thw', /--published grid-thw: this family's vision graph has no input image_grid_thw/],
      ['batched-features', /--published batched-features: .* gives image_features of 3 dimensions/],
      ['no-pixel-mask', /--published no-pixel-mask: .* has no input pixel_attention_mask/],
      ['nothing', /nothing: known are no-position-ids, /],
    ] as const) {
      const { code, stderr } = runExporter(checkpoint, join(folder, 'nothing'), '--published', variant);
      assert.notEqual(code, 0);
      assert.match(stderr, message);
    }
  });

  it('names what is missing from a folder', async () => {
    const checkpoint = join(folder, 'incomplete');
    const [first = ''] = Object.keys(await headerOf('llava'));
    assert.notEqual(first, '');
    for (const file of ['tokenizer.json', 'model.safetensors', 'config.json']) {
      await writeCheckpoint('llava', checkpoint, () => undefined);
      await rm(join(checkpoint, file));
      const { code, stderr } = runExporter(checkpoint, join(folder, 'nothing'));
      assert.equal(code, 1, file);
      assert.match(stderr, new RegExp(`${file.replace('.', '\\.')} is missing`));
    }
  });
});

/** What PyTorch says to the same question. */
async function goldenTokens(): Promise<number[]> {
  const cases = JSON.parse(await readFile(join(fixturePath('idefics3'), 'golden.json'), 'utf8'));
  return cases[0].greedy.slice(0, 24);
}

async function answer(
  model: string,
  options: Pick<Parameters<typeof Troupe.start>[0] & object, 'dtype' | 'mode'>,
): Promise<number[]> {
  await using troupe = await Troupe.start({ model, ...options });
  const image = new URL('../fixtures/families/square.png', import.meta.url);
  const content = [
    { type: 'image', image } as const,
    { type: 'text', text: 'What is in this image?' } as const,
  ];
  const { tokenIds } = await troupe.chat({ messages: [{ role: 'user', content }], maxTokens: 24 });
  return [...tokenIds];
}
