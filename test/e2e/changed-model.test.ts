import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { cp, mkdtemp, readFile, rename, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it, type TestContext } from 'node:test';
import { Troupe } from '../../src/index.ts';
import { writeWithExternalData } from '../fixtures/graphs/external-data.ts';
import { golden, goldenMessages } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

const HELLO = { messages: [{ role: 'user', content: 'What do you see?' }], maxTokens: 2 } as const;
const GRAPH = join('onnx', 'embed_tokens.onnx');

async function copy(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-changed-'));
  t.after(() => rm(path, { recursive: true }));
  await cp(PILOT_MODEL, path, { recursive: true });
  return path;
}

describe('a model whose files change while it is served', () => {
  it('is not mixed with another revision, when an actor is restarted', async (t) => {
    const model = await copy(t);
    await using troupe = await Troupe.start({ model, pd: { count: 1 } });
    const changed = new Promise((resolve) => troupe.events.once('model:changed', resolve));
    // As downloads do it: the next revision in the place of the last, which stays whole for those who use it.
    await writeFile(join(model, 'next'), await readFile(join(model, GRAPH)));
    await rename(join(model, 'next'), join(model, GRAPH));
    assert.deepEqual(await changed, { path: join(model, GRAPH), inPlace: false });
    assert.equal((await troupe.chat(HELLO)).usage.completionTokens, 2);
    const escalated = new Promise<{ error: Error }>((resolve) =>
      troupe.events.once('actor:escalated', resolve),
    );
    troupe.crash('aggregated/0');
    const { error } = await escalated;
    assert.equal('code' in error && error.code, 'MODEL_FILE_CHANGED');
    await assert.rejects(troupe.chat(HELLO), { code: 'ACTOR_ESCALATED' });
    assert.deepEqual(troupe.health().failed, ['aggregated']);
  });

  it('takes no more requests when a file in use is written to', async (t) => {
    const model = await copy(t);
    await using troupe = await Troupe.start({ model });
    const running = troupe.chat({ ...HELLO, maxTokens: 1900, temperature: 2 });
    running.catch(() => {}); // read below
    const changed = new Promise((resolve) => troupe.events.once('model:changed', resolve));
    await writeFile(join(model, GRAPH), await readFile(join(model, GRAPH)));
    assert.deepEqual(await changed, { path: join(model, GRAPH), inPlace: true });
    assert.throws(() => troupe.stream(HELLO), { code: 'MODEL_FILE_CHANGED' });
    // It may have been answered before.
    await running.catch((error) => assert.equal(error.code, 'MODEL_FILE_CHANGED'));
    const { ready, failed } = troupe.health();
    assert.deepEqual([ready, failed], [false, ['model']]);
  });
});

describe('weights in files beside the graphs', {
  skip: process.platform !== 'linux' && 'reads /proc',
}, () => {
  const GRAPHS = ['vision_encoder', 'embed_tokens', 'decoder_model_merged'];

  async function withWeightsBeside(t: TestContext): Promise<string> {
    const model = await copy(t);
    for (const name of GRAPHS) {
      const file = join(model, 'onnx', `${name}.onnx`);
      await writeWithExternalData(file, file);
    }
    return model;
  }

  /** Files of the model that this process has mapped. */
  async function mapped(model: string): Promise<number> {
    const maps = await readFile('/proc/self/maps', 'utf8');
    return maps.split('\n').filter((line) => line.includes(model)).length;
  }

  it('are mapped by default', async (t) => {
    const model = await withWeightsBeside(t);
    await using _ = await Troupe.start({ model });
    assert((await mapped(model)) > 0);
  });

  it('that are not mapped may be cut while they are in use', async (t) => {
    const model = await withWeightsBeside(t);
    await using troupe = await Troupe.start({ model, mode: 'disaggregated', mapWeights: false });
    assert.equal(await mapped(model), 0);
    const asked = golden(2);
    const messages = goldenMessages(asked);
    assert.deepEqual((await troupe.chat({ messages })).tokenIds, asked.tokenIds);
    const changed = new Promise((resolve) => troupe.events.once('model:changed', resolve));
    const later = troupe.chat({ messages: goldenMessages(golden(9)) });
    for (const name of GRAPHS) await truncate(join(model, 'onnx', `${name}.onnx_data`));
    // The change may have been noticed before it was answered.
    await later.then(
      ({ tokenIds }) => assert.deepEqual(tokenIds, golden(9).tokenIds),
      (error) => assert.equal(error.code, 'MODEL_FILE_CHANGED'),
    );
    await changed;
    assert.throws(() => troupe.stream({ messages }), { code: 'MODEL_FILE_CHANGED' });
  });
});

describe('a pipe in the place of a model file', () => {
  for (const name of ['config.json', 'tokenizer_config.json', GRAPH]) {
    it(`is refused and not waited for (${name})`, async (t) => {
      const model = await copy(t);
      await rm(join(model, name));
      assert.equal(spawnSync('mkfifo', [join(model, name)]).status, 0);
      await assert.rejects(Troupe.start({ model }), { code: 'MODEL_FILE_CORRUPT' });
    });
  }
});
