/**
 * Gemma 3 as it is published for transformers.js: a decoder that is not told which tokens stand for an image, so that they see
 * what is before them alone, with Concat or with GroupQueryAttention and its local windows.
 */
import assert from 'node:assert/strict';
import { rm, writeFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import { inspectModel, MODES, Troupe } from '../../src/index.ts';
import { publishedGraphs } from '../support/published-model.ts';
import {
  difference,
  type FamilyGolden,
  type FamilyModelFolder,
  familyModel,
  goldensOf,
  messagesOf,
  moreGoldensOf,
} from './support/family-goldens.ts';
import { groupAttention } from './support/grouped-decoder.ts';

const DECODER = join('onnx', 'decoder_model_merged.onnx');
const SHAPE = { layers: 6, heads: 4, kvHeads: 2, scale: 0.25, window: 32 };

const goldens = [...goldensOf('gemma3'), ...moreGoldensOf('gemma3')];
/** For which alone the reference's answers hold. */
const texts = goldens.filter(({ images }) => images.length === 0);
const pictures = goldens.filter(({ images }) => images.length > 0).slice(0, 8);

/** @param grouped with GroupQueryAttention */
async function published(grouped: boolean): Promise<FamilyModelFolder> {
  const folder = await familyModel('gemma3');
  const model = (await publishedGraphs('gemma3')).get(basename(DECODER));
  assert(model);
  if (grouped) groupAttention(model, SHAPE);
  await writeFile(join(folder.path, DECODER), encodeModel(model));
  return folder;
}

async function answersOf(troupe: Troupe, some: readonly FamilyGolden[]): Promise<(readonly number[])[]> {
  const results = some.map((golden) =>
    troupe.chat({ messages: messagesOf(golden), maxTokens: golden.greedy.length, temperature: 0 }),
  );
  return (await Promise.all(results)).map(({ tokenIds }) => tokenIds);
}

describe('a published Gemma 3', () => {
  let joined: FamilyModelFolder;
  let grouped: FamilyModelFolder;
  before(async () => {
    [joined, grouped] = await Promise.all([published(false), published(true)]);
  });
  after(() => Promise.all([joined, grouped].map(({ path }) => rm(path, { recursive: true }))));

  it('is rewritten, local windows and all', async () => {
    for (const { path } of [joined, grouped]) {
      const { decoder } = await inspectModel({ model: path });
      assert.deepEqual([decoder.rewritten, decoder.attention], [true, 'split']);
    }
  });

  for (const mode of MODES) {
    it(`answers text alone as the reference, beyond its windows, in ${mode} mode`, async () => {
      assert.ok(Math.max(...texts.map(({ promptIds }) => promptIds.length)) > 2 * SHAPE.window);
      for (const model of [joined, grouped]) {
        await using troupe = await Troupe.start({ model: model.path, mode });
        const answers = await answersOf(troupe, texts);
        for (const [index, golden] of texts.entries()) {
          assert.equal(difference(golden, answers[index] ?? [], model.heldBack), undefined);
        }
      }
    });
  }

  it('answers of images are the same with either operator, in parts and at once', async () => {
    const answers: (readonly number[])[][] = [];
    for (const model of [joined, grouped]) {
      for (const prefillTokensPerStep of [7, 512]) {
        const pd = { prefillTokensPerStep, prefixCacheBytes: 0 };
        await using troupe = await Troupe.start({ model: model.path, mode: 'aggregated', pd });
        answers.push(await answersOf(troupe, pictures));
      }
    }
    for (const some of answers.slice(1)) assert.deepEqual(some, answers[0]);
  });
});
