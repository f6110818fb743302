/**
 * The layout of FastVLM's published files around LLaVA's tiny graphs: a flat configuration, -200 for an image, and a chat
 * template that takes messages as texts. The answers must stay LLaVA's.
 */
import assert from 'node:assert/strict';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Troupe } from '../../src/index.ts';
import { familyModel, goldenAnswers, goldenQuestion } from '../actors/families/support/prompt-ids.ts';

const TEMPLATE =
  "{% for message in messages %}{{ 'USER: ' + message['content'] + ' ASSISTANT:' }}{% endfor %}";
/** A template of texts puts each image on a line of its own; the golden prompts of several images have one line. */
const answers = goldenAnswers('llava').filter(({ images }) => images.length < 2);

describe('a model in the layout of FastVLM', () => {
  let model: string;

  const write = (name: string, json: unknown): Promise<void> =>
    writeFile(join(model, name), JSON.stringify(json));

  before(async () => {
    model = await mkdtemp(join(tmpdir(), 'troupe-fastvlm-'));
    await cp(familyModel('llava'), model, { recursive: true });
    const { text_config } = JSON.parse(await readFile(join(model, 'config.json'), 'utf8'));
    await write('config.json', { ...text_config, model_type: 'llava_qwen2', image_token_index: -200 });
    // The golden answers go on past the end of a sequence.
    await write('generation_config.json', { eos_token_id: 99_999 });
    await write('processor_config.json', {
      ...{ patch_size: 14, num_additional_image_tokens: 0, vision_feature_select_strategy: 'default' },
    });
    await writeFile(join(model, 'chat_template.jinja'), TEMPLATE);
  });
  after(() => rm(model, { recursive: true }));

  for (const mode of ['aggregated', 'disaggregated'] as const) {
    it(`answers as PyTorch does, ${mode}`, async () => {
      await using troupe = await Troupe.start({ model, mode });
      assert.ok(answers.length > 0);
      for (const one of answers) {
        const { tokenIds, usage } = await troupe.chat({
          ...{ messages: goldenQuestion(one), maxTokens: one.greedy.length, temperature: 0 },
        });
        assert.equal(usage.promptTokens, one.input_ids.length, one.case);
        if (one.smallest_gap >= 0.002) assert.deepEqual(tokenIds, one.greedy, one.case);
      }
    });
  }
});
