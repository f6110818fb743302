import assert from 'node:assert/strict';
import { readFile, rename, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type TestContext, test } from 'node:test';
import { imagesOf } from '../../actors/families/registry.ts';
import { DATA_LOCATION_EXTERNAL, type OnnxModel } from '../../actors/model/onnx/onnx-types.ts';
import { readTokenIds } from '../../actors/model/token-ids.ts';
import { openModelDirectory } from '../../actors/open-model-directory.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';
import {
  cacheInputs,
  code,
  decoderGraph,
  embedGraph,
  graph,
  modelFixture,
  separateGraphs,
  visionGraph,
} from './model/support/model-fixture.ts';

/** Rewrites a JSON file of a fixture. */
async function edit(path: string, change: (json: Record<string, unknown>) => void): Promise<void> {
  const json: Record<string, unknown> = JSON.parse(await readFile(path, 'utf8'));
  change(json);
  await writeFile(path, JSON.stringify(json));
}

test('the default model opens with its geometry', async () => {
  const model = await openModelDirectory(PILOT_MODEL);
  assert.equal(model.encoding, 'separate');
  assert.deepEqual(model.geometry, {
    layers: 4,
    heads: 4,
    kvHeads: 2,
    headDim: 32,
    hiddenSize: 128,
    vocabSize: 459,
    contextLength: 2048,
    imageTokenId: 3,
    eosTokenIds: [6],
    seesAhead: 'none',
    imageInputs: [],
    joinsImages: false,
  });
  assert.equal(model.graphs.decoder.dtype, 'fp32');
});

test('an opened model can be sent to a thread', async () => {
  const model = await openModelDirectory(PILOT_MODEL);
  assert.deepEqual(structuredClone(model), model);
});

test('graphs are read by the given function, so that it may use another thread', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  const { readGraphSignature } = await import('../../actors/model/onnx/graph-signature.ts');
  const read: string[] = [];
  await openModelDirectory(path, {
    readSignature: (file) => {
      read.push(file);
      return readGraphSignature(file);
    },
  });
  assert.equal(read.length, 3);
});

test('a path that is no directory', async () => {
  await assert.rejects(openModelDirectory('/nowhere'), code('MODEL_NOT_FOUND'));
  await assert.rejects(openModelDirectory(join(PILOT_MODEL, 'config.json')), code('MODEL_NOT_FOUND'));
});

for (const name of ['config.json', 'tokenizer.json', 'preprocessor_config.json', 'onnx']) {
  test(`without ${name} a file is missing`, async (t) => {
    const path = await modelFixture(t, separateGraphs());
    await rm(join(path, name), { recursive: true });
    await assert.rejects(openModelDirectory(path), code('MODEL_FILE_MISSING'));
  });
}

for (const name of ['vision_encoder', 'embed_tokens', 'decoder_model_merged']) {
  test(`without ${name} a graph is missing`, async (t) => {
    const path = await modelFixture(t, separateGraphs());
    await rm(join(path, 'onnx', `${name}.onnx`));
    await assert.rejects(openModelDirectory(path), code('MODEL_FILE_MISSING'));
  });
}

test('generation_config.json and processor_config.json may be absent', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  await rm(join(path, 'generation_config.json'));
  await rm(join(path, 'processor_config.json'));
  const directory = await openModelDirectory(path);
  assert.deepEqual(directory.geometry.eosTokenIds, [6]);
  assert.equal(imagesOf(directory).plan({ width: 80, height: 80 }).tokens, 25);
});

test('the image settings may sit inside processor_config.json', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  const settings: unknown = JSON.parse(await readFile(join(path, 'preprocessor_config.json'), 'utf8'));
  await rm(join(path, 'preprocessor_config.json'));
  await edit(join(path, 'processor_config.json'), (json) => {
    json.image_processor = settings;
  });
  const plan = imagesOf(await openModelDirectory(path)).plan({ width: 80, height: 80 });
  assert.deepEqual(plan.shape, [1, 3, 80, 80]);
});

test('JSON that does not parse is corrupt', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  await writeFile(join(path, 'config.json'), '{"model_type": "idef');
  await assert.rejects(openModelDirectory(path), code('MODEL_FILE_CORRUPT'));
});

test('a field of the wrong type is named', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  await edit(join(path, 'config.json'), (json) => {
    json.text_config = { hidden_size: 'large' };
  });
  await assert.rejects(openModelDirectory(path), (error) => {
    assert.ok(code('MODEL_FILE_CORRUPT')(error));
    assert.match(String(error), /text_config\.hidden_size/);
    return true;
  });
});

test('another model type is unsupported, and the supported ones are listed', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  await edit(join(path, 'config.json'), (json) => {
    json.model_type = 'llama';
  });
  await assert.rejects(openModelDirectory(path), (error) => {
    assert.ok(code('MODEL_UNSUPPORTED')(error));
    assert.match(String(error), /idefics3, smolvlm/);
    return true;
  });
});

test('an unchosen dtype is fp32 where there is one, otherwise the next in order, graph by graph', async (t) => {
  const path = await modelFixture(t, {
    'vision_encoder_fp16.onnx': visionGraph(),
    'embed_tokens.onnx': embedGraph(),
    'embed_tokens_q4.onnx': embedGraph(),
    'decoder_model_merged_q4.onnx': decoderGraph(),
    'decoder_model_merged_fp16.onnx': decoderGraph(),
  });
  const { vision, embed, decoder } = (await openModelDirectory(path)).graphs;
  assert.deepEqual([vision?.dtype, embed?.dtype, decoder.dtype], ['fp16', 'fp32', 'q4']);
});

test('a dtype may be chosen for one graph', async (t) => {
  const path = await modelFixture(t, { ...separateGraphs(), 'decoder_model_merged_q4.onnx': decoderGraph() });
  const { graphs } = await openModelDirectory(path, { dtype: { decoder: 'q4' } });
  assert.deepEqual([graphs.vision?.dtype, graphs.decoder.dtype], ['fp32', 'q4']);
});

test('a dtype that is not there is refused with those that are', async (t) => {
  const path = await modelFixture(t, { ...separateGraphs(), 'decoder_model_merged_q4.onnx': decoderGraph() });
  await assert.rejects(openModelDirectory(path, { dtype: { decoder: 'fp16' } }), (error) => {
    assert.ok(code('MODEL_DTYPE_MISSING')(error));
    assert.match(String(error), /fp32, q4/);
    return true;
  });
});

test('a decoder that takes pixels, without a vision graph, encodes integrated', async (t) => {
  const path = await modelFixture(t, {
    'decoder_model_merged.onnx': graph({
      input_ids: ['b', 's'],
      pixel_values: ['n', 3, 80, 80],
      ...cacheInputs(),
    }),
  });
  const { encoding, graphs } = await openModelDirectory(path);
  assert.equal(encoding, 'integrated');
  assert.deepEqual(Object.keys(graphs), ['decoder']);
});

test('an integrated decoder that takes embeddings needs the embedding graph', async (t) => {
  const decoder = graph({ inputs_embeds: ['b', 's', 128], pixel_values: ['n', 3, 80, 80], ...cacheInputs() });
  const path = await modelFixture(t, { 'decoder_model_merged.onnx': decoder });
  await assert.rejects(openModelDirectory(path), code('MODEL_FILE_MISSING'));
});

async function withWeights(t: TestContext, location: string, fileLength: number | null): Promise<string> {
  const decoder: OnnxModel = graph({ inputs_embeds: ['b', 's', 128], ...cacheInputs() }, [
    {
      name: 'w',
      dims: [8],
      dataType: 1,
      dataLocation: DATA_LOCATION_EXTERNAL,
      externalData: [{ key: 'location', value: location }],
    },
  ]);
  const path = await modelFixture(t, { ...separateGraphs(), 'decoder_model_merged.onnx': decoder });
  if (fileLength !== null) await writeFile(join(path, 'onnx', location), new Uint8Array(fileLength));
  return path;
}

test('external weights that are there and long enough are accepted', async (t) => {
  await openModelDirectory(await withWeights(t, 'decoder.onnx_data', 32));
});

test('external weights that are missing', async (t) => {
  const path = await withWeights(t, 'decoder.onnx_data', null);
  await assert.rejects(openModelDirectory(path), code('MODEL_FILE_MISSING'));
});

test('external weights that are cut short', async (t) => {
  const path = await withWeights(t, 'decoder.onnx_data', 31);
  await assert.rejects(openModelDirectory(path), code('MODEL_FILE_CORRUPT'));
});

test('external weights outside the folder are refused, even when the file exists', async (t) => {
  const path = await withWeights(t, '../weights.bin', 32);
  await assert.rejects(openModelDirectory(path), code('MODEL_FILE_CORRUPT'));
});

test('a cache that contradicts the configuration', async (t) => {
  const decoder = graph({ inputs_embeds: ['b', 's', 128], ...cacheInputs(4, 4) });
  const path = await modelFixture(t, { ...separateGraphs(), 'decoder_model_merged.onnx': decoder });
  await assert.rejects(openModelDirectory(path), code('MODEL_UNSUPPORTED'));
});

test('a decoder with another number of layers than the configuration', async (t) => {
  const decoder = graph({ inputs_embeds: ['b', 's', 128], ...cacheInputs(3) });
  const path = await modelFixture(t, { ...separateGraphs(), 'decoder_model_merged.onnx': decoder });
  await assert.rejects(openModelDirectory(path), code('MODEL_UNSUPPORTED'));
});

test('embeddings of another width than the configuration says', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  await edit(join(path, 'config.json'), (json) => {
    json.text_config = { ...Object(json.text_config), hidden_size: 1e12, head_dim: 32 };
  });
  await assert.rejects(openModelDirectory(path), (error: Error) => {
    assert.match(error.message, /inputs_embeds is 128 wide, config\.json says 1000000000000/);
    return code('MODEL_UNSUPPORTED')(error);
  });
});

test('pixels that are to be divided by nothing', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  await edit(join(path, 'preprocessor_config.json'), (json) => {
    json.image_std = [0.5, 0, 0.5];
  });
  await assert.rejects(openModelDirectory(path), code('MODEL_FILE_CORRUPT'));
});

test('tiles of another size than the vision graph takes', async (t) => {
  const path = await modelFixture(t, {
    ...separateGraphs(),
    'vision_encoder.onnx': graph({ pixel_values: ['b', 'n', 3, 64, 64] }),
  });
  await assert.rejects(openModelDirectory(path), code('MODEL_UNSUPPORTED'));
});

test('a declared image length that the tiles do not make', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  await edit(join(path, 'processor_config.json'), (json) => {
    json.image_seq_len = 64;
  });
  await assert.rejects(openModelDirectory(path), code('MODEL_UNSUPPORTED'));
});

/** A model whose configurations name no token that ends an answer. */
async function withoutEosId(t: TestContext): Promise<string> {
  const path = await modelFixture(t, separateGraphs());
  await rm(join(path, 'generation_config.json'));
  await edit(join(path, 'config.json'), (json) => {
    json.text_config = { ...Object(json.text_config), eos_token_id: null };
  });
  return path;
}

test('a token that ends answers is known by its name alone, where another thread may look it up', async (t) => {
  const path = await withoutEosId(t);
  const asked: unknown[] = [];
  const { geometry } = await openModelDirectory(path, {
    findTokens: (tokens) => {
      asked.push(tokens);
      return readTokenIds(tokens);
    },
  });
  assert.deepEqual(geometry.eosTokenIds, [6]);
  assert.deepEqual(asked, [{ path: join(path, 'tokenizer.json'), names: ['<end_of_utterance>'] }]);
});

test('tokens are not looked up where configurations have their ids', async (t) => {
  const findTokens = t.mock.fn(readTokenIds);
  await openModelDirectory(PILOT_MODEL, { findTokens });
  assert.equal(findTokens.mock.callCount(), 0);
});

for (const eos of ['<nowhere>', null]) {
  test(`no token that ends an answer, with eos_token ${eos}`, async (t) => {
    const path = await withoutEosId(t);
    await edit(join(path, 'tokenizer_config.json'), (json) => {
      json.eos_token = eos;
    });
    await assert.rejects(openModelDirectory(path), code('MODEL_UNSUPPORTED'));
  });
}

test('the chat template is found in each of its places, the file of its own first', async (t) => {
  const path = await modelFixture(t, separateGraphs());
  const template = async (): Promise<string | null> => (await openModelDirectory(path)).chatTemplate;
  assert.match((await template()) ?? '', /^<\|im_start\|>/);
  await edit(join(path, 'tokenizer_config.json'), (json) => {
    json.chat_template = [
      { name: 'tools', template: 'no' },
      { name: 'default', template: 'named' },
    ];
  });
  assert.equal(await template(), 'named');
  await writeFile(join(path, 'chat_template.json'), '{"chat_template": "json"}');
  assert.equal(await template(), 'json');
  await rename(join(path, 'chat_template.json'), join(path, 'chat_template.jinja'));
  assert.equal(await template(), '{"chat_template": "json"}');
});
