/** Ministral 3's decoder as the exporter writes it, answering as PyTorch does: YaRN's frequencies, and queries that grow. */
import assert from 'node:assert/strict';
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import * as z from 'zod';
import { MODES, Troupe } from '../../src/index.ts';
import { difference, holdBack, messagesOf, parseGoldens } from '../families/support/family-goldens.ts';
import { constantsOf, fixturePath, weightIn, writeCheckpoint } from './support/checkpoint.ts';
import { runExporter, whyNoExporter } from './support/exporter.ts';

const FAMILY = 'mistral3';
const fields = z.record(z.string(), z.unknown());
const configSchema = z.looseObject({ text_config: fields });
const goldenSchema = z.object({ text_config: fields, cases: z.unknown() });

const json = async (path: string): Promise<unknown> => JSON.parse(await readFile(path, 'utf8'));

describe('the weights of Mistral 3 in a Ministral 3 decoder', { skip: whyNoExporter() }, async () => {
  const golden = goldenSchema.parse(await json(join(fixturePath(FAMILY), 'golden-ministral3.json')));
  const cases = parseGoldens(golden.cases);
  let folder = '';
  let model = '';
  let heldBack: number[] = [];

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-ministral-'));
    const checkpoint = join(folder, 'checkpoint');
    model = join(folder, 'model');
    const constants = await constantsOf(FAMILY);
    await writeCheckpoint(FAMILY, checkpoint, (name, shape) => weightIn(constants, name, shape));
    const config = configSchema.parse(await json(join(checkpoint, 'config.json')));
    const changed = { ...config, text_config: { ...config.text_config, ...golden.text_config } };
    await writeFile(join(checkpoint, 'config.json'), JSON.stringify(changed));
    const { code, stderr } = runExporter(checkpoint, model);
    assert.equal(code, 0, stderr);
    heldBack = await holdBack(model);
  });
  after(() => rm(folder, { recursive: true }));

  for (const mode of MODES) {
    it(`gives the golden answers in ${mode} mode, behind several original contexts too`, async () => {
      await using troupe = await Troupe.start({ model, mode });
      assert(cases.some(({ promptIds }) => promptIds.length > 400));
      for (const one of cases) {
        const maxTokens = one.greedy.length;
        const answer = await troupe.chat({ messages: messagesOf(one), maxTokens, temperature: 0 });
        assert.equal(difference(one, answer.tokenIds, heldBack), undefined);
      }
    });
  }
});
