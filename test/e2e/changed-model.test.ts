import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import {
  cp,
  mkdir,
  mkdtemp,
  open,
  readdir,
  readFile,
  rename,
  rm,
  stat,
  symlink,
  truncate,
  writeFile,
} from 'node:fs/promises';
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

/** Writes to a file without cutting it: pages of a mapped file that is cut are gone, and who reads them dies. */
async function writeInPlace(path: string): Promise<void> {
  await using file = await open(path, 'r+');
  await file.write(await readFile(path), 0, undefined, 0);
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

  it('is served on when a file is written to that was read at the start', async (t) => {
    const model = await copy(t);
    await using troupe = await Troupe.start({ model });
    const changed = new Promise((resolve) => troupe.events.once('model:changed', resolve));
    await truncate(join(model, GRAPH));
    assert.deepEqual(await changed, { path: join(model, GRAPH), inPlace: false });
    assert.equal((await troupe.chat(HELLO)).usage.completionTokens, 2);
    assert.equal(troupe.health().ready, true);
  });

  it('takes no more requests when a file is written to that is mapped', async (t) => {
    const model = await copy(t);
    const file = join(model, GRAPH);
    await writeWithExternalData(file, file);
    const weights = `${file}_data`;
    await using troupe = await Troupe.start({ model, mapWeights: 'originals' });
    const running = troupe.chat({ ...HELLO, maxTokens: 1900, temperature: 2 });
    running.catch(() => {}); // read below
    const changed = new Promise((resolve) => troupe.events.once('model:changed', resolve));
    await writeInPlace(weights);
    assert.deepEqual(await changed, { path: weights, inPlace: true });
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

  /** Longer than what is read, and not copied, since it is small. */
  async function withLongWeightsBeside(t: TestContext): Promise<string> {
    const model = await withWeightsBeside(t);
    for (const name of GRAPHS) await truncate(join(model, 'onnx', `${name}.onnx_data`), 17 * 1024 * 1024);
    const before = process.env.TROUPE_CACHE_DIR;
    process.env.TROUPE_CACHE_DIR = join(model, 'cache');
    t.after(() => {
      if (before === undefined) delete process.env.TROUPE_CACHE_DIR;
      else process.env.TROUPE_CACHE_DIR = before;
    });
    return model;
  }

  /** Files in a folder that this process has mapped. */
  async function mapped(folder: string): Promise<number> {
    const maps = await readFile('/proc/self/maps', 'utf8');
    return maps.split('\n').filter((line) => line.includes(folder)).length;
  }

  async function cutAll(model: string): Promise<void> {
    for (const name of await readdir(join(model, 'onnx'))) await truncate(join(model, 'onnx', name));
    await truncate(join(model, 'tokenizer.json'));
  }

  it('are mapped from the model’s own files when that is asked for', async (t) => {
    const model = await withWeightsBeside(t);
    await using _ = await Troupe.start({ model, mapWeights: 'originals' });
    assert((await mapped(join(model, 'onnx'))) > 0);
  });

  it('are mapped from copies, so that all files may be cut while they are in use', async (t) => {
    const model = await withLongWeightsBeside(t);
    await using troupe = await Troupe.start({ model, mode: 'disaggregated' });
    assert.equal(await mapped(join(model, 'onnx')), 0);
    assert((await mapped(join(model, 'cache'))) > 0);
    const [before, later] = [golden(2), golden(9)];
    assert.deepEqual((await troupe.chat({ messages: goldenMessages(before) })).tokenIds, before.tokenIds);
    const changed = new Promise((resolve) => troupe.events.once('model:changed', resolve));
    await cutAll(model);
    await changed;
    assert.deepEqual((await troupe.chat({ messages: goldenMessages(later) })).tokenIds, later.tokenIds);
    assert.equal(troupe.health().ready, true);
  });

  it('are copied once', async (t) => {
    const model = await withLongWeightsBeside(t);
    const cached = async () => {
      const names = (await readdir(join(model, 'cache'))).filter((name) => name.startsWith('weights-'));
      const paths = names.map((name) => join(model, 'cache', name));
      return await Promise.all(paths.map(async (path) => [path, (await stat(path)).ino]));
    };
    await Troupe.start({ model }).then((troupe) => troupe.stop());
    const copies = await cached();
    assert.equal(copies.length, 3);
    await Troupe.start({ model }).then((troupe) => troupe.stop());
    assert.deepEqual(await cached(), copies);
  });

  it('are read where no copy can be kept, and that is said', async (t) => {
    const model = await withLongWeightsBeside(t);
    process.env.TROUPE_CACHE_DIR = join(model, 'config.json', 'cache');
    await using troupe = await Troupe.start({ model });
    assert.equal(await mapped(join(model, 'onnx')), 0);
    assert.match(troupe.notices.join(), /graph cache cannot be written/);
    const asked = golden(2);
    assert.deepEqual((await troupe.chat({ messages: goldenMessages(asked) })).tokenIds, asked.tokenIds);
  });

  it('are found behind links, as download caches have them', async (t) => {
    const model = await withLongWeightsBeside(t);
    await mkdir(join(model, 'blobs'));
    for (const name of GRAPHS) {
      const path = join(model, 'onnx', `${name}.onnx_data`);
      await rename(path, join(model, 'blobs', name));
      await symlink(join('..', 'blobs', name), path);
    }
    for (const mapWeights of ['copies', 'never'] as const) {
      await using troupe = await Troupe.start({ model, mapWeights });
      const asked = golden(2);
      assert.deepEqual((await troupe.chat({ messages: goldenMessages(asked) })).tokenIds, asked.tokenIds);
    }
  });
});

it('weights behind a link that leaves the model are refused', async (t) => {
  const [model, other] = [await copy(t), await copy(t)];
  const file = join(model, GRAPH);
  await writeWithExternalData(file, file);
  await rename(`${file}_data`, join(other, 'secret'));
  await symlink(join(other, 'secret'), `${file}_data`);
  await assert.rejects(Troupe.start({ model }), { code: 'MODEL_FILE_CORRUPT' });
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
