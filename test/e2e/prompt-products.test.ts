/** The embedded model in 4 bits with prompts in 8: the same answers in any company, in either mode. */
import assert from 'node:assert/strict';
import { copyFile, cp, mkdtemp, open as openFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { OrtSession } from '../../actors/inference/ort-session.ts';
import { REWRITERS } from '../../actors/model/rewrite/rewriters.ts';
import { openModelDirectory } from '../../actors/open-model-directory.ts';
import { refusePromptsOnGpu } from '../../src/config/prompts-on-gpu.ts';
import { resolveConfig } from '../../src/config/resolve-config.ts';
import { DEFAULT_MODEL_DIRECTORY, MODES, Troupe, type TroupeOptions } from '../../src/index.ts';
import { inspectModel } from '../../src/inspect/inspect-model.ts';
import { modelMemory } from '../../src/models/model-memory.ts';
import { writeWithExternalData } from '../fixtures/graphs/external-data.ts';
import { defaultGoldenMessages, defaultGoldens } from '../support/default-golden.ts';

const asked = defaultGoldens.slice(0, 5);
const MAX_TOKENS = 12;
const EIGHT_BIT = { dtype: 'q4', pd: { promptProducts: '8-bit' } } as const satisfies TroupeOptions;
const OPENED = { dtype: 'q4', rewrite: REWRITERS, promptProducts: '8-bit' } as const;
const pd = (more: TroupeOptions['pd'] = {}) => ({ ...EIGHT_BIT, pd: { ...EIGHT_BIT.pd, ...more } });

async function ask(troupe: Troupe, index: number): Promise<readonly number[]> {
  const golden = asked[index];
  assert.ok(golden);
  const messages = defaultGoldenMessages(golden);
  return (await troupe.chat({ messages, temperature: 0, maxTokens: MAX_TOKENS })).tokenIds;
}

const together = (troupe: Troupe) => Promise.all(asked.map((_, index) => ask(troupe, index)));

describe('prompts in 8 bits of a model in 4', () => {
  const alone: (readonly number[])[] = [];

  for (const mode of MODES) {
    it(`give the answers that they give alone together and from caches: ${mode}`, async () => {
      await using troupe = await Troupe.start({ ...EIGHT_BIT, mode });
      if (alone.length === 0) {
        for (const index of asked.keys()) {
          alone.push(await ask(troupe, index));
          await troupe.clearCaches();
        }
      }
      assert.deepEqual(await together(troupe), alone, 'together');
      assert.deepEqual(await together(troupe), alone, 'from caches');
    });
  }

  it('give the same in parts, of one token too', async () => {
    const prefillTokensPerStep = (asked[0]?.promptIds.length ?? 0) - 1;
    await using troupe = await Troupe.start(pd({ prefillTokensPerStep, prefixCacheBytes: 0 }));
    assert.deepEqual(await together(troupe), alone);
  });

  it('give the same with another actor that runs prompts, drafts and shared weights', async () => {
    const options = pd({ threads: 2, speculation: 'own', prefixCacheBytes: 0 });
    await using troupe = await Troupe.start({ ...options, prefill: { count: 1 }, shareWeights: 'always' });
    assert.deepEqual(await together(troupe), alone);
  });

  it('answer as PyTorch does in 32 bits where the file’s own products do', async () => {
    const right = alone.filter(
      (ids, index) => String(ids) === String(asked[index]?.tokenIds.slice(0, MAX_TOKENS)),
    );
    assert.ok(right.length >= 0.75 * asked.length, `${right.length} of ${asked.length}`);
  });

  it('are shown by inspect, and counted as memory', async () => {
    const { modes } = await inspectModel(EIGHT_BIT);
    const graphs = modes.aggregated.weights.map(({ graph }) => graph);
    assert.deepEqual(graphs, ['vision', 'embed', 'decoder', 'prompts']);
    const counted = async (promptProducts: 'file' | '8-bit') => {
      const options = { ...OPENED, promptProducts };
      return modelMemory(
        await openModelDirectory(DEFAULT_MODEL_DIRECTORY, options),
        resolveConfig({ ...EIGHT_BIT, pd: { ...EIGHT_BIT.pd, count: 1 } }),
      );
    };
    const more = (await counted('8-bit')) - (await counted('file'));
    assert.ok(more > 2_000_000 && more < 4_000_000, `${more} bytes for 2,000,000 weights and a head`);
  });
});

describe('prompts in 8 bits in a whole engine', () => {
  /** Of the second likeliest first token, which a prompt's products alone decide; the likeliest one is as good as certain. */
  async function firstLogprob(options: TroupeOptions): Promise<number> {
    const [golden] = asked;
    assert.ok(golden);
    await using troupe = await Troupe.start({ ...options, dtype: 'q4', pd: { count: 1, ...options.pd } });
    const messages = defaultGoldenMessages(golden);
    const { logprobs } = await troupe.chat({
      messages,
      temperature: 0,
      maxTokens: 1,
      logprobs: true,
      topLogprobs: 2,
    });
    return logprobs?.[0]?.top[1]?.logprob ?? Number.NaN;
  }

  /** How near two are that went through the same products, in parts of other sizes at most. */
  const NEAR = 1e-4;
  let file: number;
  let eightBit: number;
  before(async () => {
    file = await firstLogprob({});
    eightBit = await firstLogprob(pd());
  });

  it('are other products than the file’s', () => {
    assert.ok(Math.abs(eightBit - file) > 10 * NEAR, `${eightBit} and ${file}`);
  });

  for (const [how, options] of [
    ['weights are shared', { ...pd(), shareWeights: 'always' }],
    ['weights are not shared', { ...pd(), shareWeights: 'never' }],
    ['weights are read', { ...pd(), shareWeights: 'never', mapWeights: 'never' }],
    ['the modes are apart', { ...pd(), mode: 'disaggregated' }],
  ] as const) {
    it(`are the same where ${how}`, async () => {
      const now = await firstLogprob(options);
      assert.ok(Math.abs(now - eightBit) < NEAR, `${now} and ${eightBit}`);
    });
  }
});

describe('prompts in 8 bits that there cannot be', () => {
  for (const [what, options, message] of [
    [
      'of a model in 32 bits',
      { dtype: 'fp32' },
      /^pd\.promptProducts: .*none of its products has weights in 4 bits/,
    ],
    [
      'in another number of bits',
      { pd: { promptProducts: '2-bit' } },
      /^pd\.promptProducts: .*"file"\|"8-bit"/,
    ],
  ] as const) {
    it(`are refused: ${what}`, async () => {
      // @ts-expect-error: what a JavaScript caller may hand over
      await assert.rejects(Troupe.start({ ...EIGHT_BIT, ...options }), { code: 'INVALID_OPTION', message });
    });
  }
});

it('prompts in 8 bits are refused on a GPU', async () => {
  const directory = await openModelDirectory(DEFAULT_MODEL_DIRECTORY, OPENED);
  refusePromptsOnGpu(directory, 'cpu');
  assert.throws(() => refusePromptsOnGpu(directory, 'webgpu'), {
    code: 'INVALID_OPTION',
    message: /^pd\.promptProducts: works on the CPU alone/,
  });
});

describe('the decoder for prompts on disk', () => {
  let model: string;
  before(async () => {
    model = await mkdtemp(join(tmpdir(), 'troupe-prompts-'));
    await cp(DEFAULT_MODEL_DIRECTORY, model, {
      recursive: true,
      filter: (path) => !path.includes('.troupe-cache'),
    });
    const file = join(model, 'onnx', 'decoder_model_merged_q4.onnx');
    await copyFile(file, `${file}.whole`);
    await writeWithExternalData(`${file}.whole`, file);
  });
  after(() => rm(model, { recursive: true }));

  const open = async () => {
    const { graphs } = await openModelDirectory(model, OPENED);
    assert.ok(graphs.prompts);
    return graphs.prompts;
  };

  it('has all of its weights beside it, and is made once', async () => {
    const { path, signature } = await open();
    assert.deepEqual(
      signature.externalData.map(({ location }) => location),
      ['prompts.weights'],
    );
    const session = await OrtSession.load(path, { threads: 1 });
    assert.ok(session.outputs.has('logits'));
    await session.release();
    const { ino } = await stat(path);
    assert.equal((await stat((await open()).path)).ino, ino, 'the same file');
  });

  it('is another one where the weights are others', async () => {
    const before = (await open()).path;
    const path = join(model, 'onnx', 'decoder_model_merged_q4.onnx_data');
    await using handle = await openFile(path, 'r+');
    await handle.write(Uint8Array.of(0x11), 0, 1, 100);
    assert.notEqual((await open()).path, before);
  });
});
