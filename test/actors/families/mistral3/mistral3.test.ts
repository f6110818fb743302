import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { preprocessorSchema } from '../../../../actors/families/mistral3/config.ts';
import { mistral3 } from '../../../../actors/families/mistral3/mistral3.ts';
import { planTokens } from '../../../../actors/families/mistral3/token-grid.ts';
import { imagesOf } from '../../../../actors/families/registry.ts';
import { atOnce } from '../../../../actors/images/in-turns.ts';
import { InferenceSession, Tensor } from '../../../../actors/inference/onnxruntime.ts';
import { TextTokenizer } from '../../../../actors/model/tokenizer.ts';
import { openModelDirectory } from '../../../../actors/open-model-directory.ts';
import { preparePrompt } from '../../../../actors/processor/prepare-prompt.ts';
import { loadPromptModel } from '../../../../actors/processor/prompt-model.ts';
import { code } from '../../model/support/model-fixture.ts';
import { picture, processorGolden, testPixels } from '../support/processor-golden.ts';
import { assertGoldenPrompts, familyModel } from '../support/prompt-ids.ts';

const golden = processorGolden('mistral3');
const TEXTS = { image: '[IMG]', rowEnd: '[IMG_BREAK]', imageEnd: '[IMG_END]', takesSize: false };

for (const one of golden.cases) {
  // The reference's pixels have a dimension for the one image.
  testPixels({ ...one, shape: one.shape.slice(1) }, true, () => {
    const preprocessor = preprocessorSchema.parse(one.config);
    return mistral3.images({ preprocessor, side: Number(one.config.patch_size), ...TEXTS }).plan(one);
  });
}

test('images are brought to the sizes of the reference, or refused where nothing is left of them', () => {
  assert.ok(golden.plans.length > 0);
  for (const plan of golden.plans) {
    const [height = 0, width = 0, mostHigh = 0, mostWide = 0, side = 0, ...expected] = plan.map(Number);
    const config = { do_resize: true, size: { height: mostHigh, width: mostWide } };
    const planned = () => planTokens(config, side, { width, height }, 'image');
    if (expected.includes(0)) {
      assert.throws(planned, code('IMAGE_SHAPE_UNSUPPORTED'), `${height} × ${width}`);
      continue;
    }
    const { resized, rows, columns } = planned();
    assert.deepEqual([resized.height, resized.width], expected, `${height} × ${width}`);
    assert.deepEqual([rows * side, columns * side], expected);
  }
});

test('an image that no whole number of tokens covers is refused where nothing is resized', () => {
  const asItIs = { do_resize: false, size: { height: 56, width: 56 } };
  const plan = (width: number, height: number) =>
    planTokens(asItIs, 28, { width, height }, 'messages[0].image');
  assert.deepEqual(plan(84, 28).resized, { width: 84, height: 28 });
  assert.throws(
    () => plan(84, 30),
    (error) => {
      assert.ok(code('IMAGE_SHAPE_UNSUPPORTED')(error));
      assert.match(String(error), /messages\[0\]\.image.*84×30/);
      return true;
    },
  );
});

test('the vision graph makes as many rows as an image of any size has tokens', async () => {
  const directory = await openModelDirectory(familyModel('mistral3'));
  const { vision } = directory.graphs;
  assert.ok(vision);
  const session = await InferenceSession.create(vision.path);
  for (const [height, width] of [
    [1, 1],
    [28, 140],
    [140, 29],
    [57, 57],
    [3000, 100],
    [480, 640],
  ] as const) {
    const { tokens, shape } = imagesOf(directory).plan({ height, width });
    const pixels = new Float32Array(shape.reduce((product, side) => product * side, 1));
    const { image_features } = await session.run({
      pixel_values: new Tensor('float32', pixels, [1, ...shape]),
    });
    assert.equal(image_features?.dims[0], tokens, `${height} × ${width}`);
  }
  await session.release();
});

test('an image is one part, whose rows of tokens end with one of their own', async () => {
  const plan = imagesOf(await openModelDirectory(familyModel('mistral3'))).plan({ width: 84, height: 56 });
  assert.deepEqual([plan.tokens, plan.parts, plan.shape, plan.inputs], [6, 1, [3, 56, 84], {}]);
  assert.equal(plan.expand(), '[IMG][IMG][IMG][IMG_BREAK][IMG][IMG][IMG][IMG_END]');
});

test('an image of another size than the plan, or a target of another, is refused', async () => {
  const plan = imagesOf(await openModelDirectory(familyModel('mistral3'))).plan({ width: 3, height: 2 });
  assert.throws(() => atOnce(plan.write(picture({ height: 2, width: 3 }), new Float32Array(3))), RangeError);
  const target = new Float32Array(3 * 28 * 28);
  assert.throws(() => atOnce(plan.write(picture({ height: 3, width: 2 }), target)), RangeError);
});

describe('prompts', () => {
  test('have the ids of the reference', () => assertGoldenPrompts('mistral3'));

  test('of a template as published ones are have images in their places, and text that spells a token is text', async () => {
    const opened = await openModelDirectory(familyModel('mistral3'));
    const model = await loadPromptModel({ ...opened, chatTemplate: PUBLISHED });
    const tokenizer = await TextTokenizer.load(opened);
    const plans = [
      model.images.plan({ width: 56, height: 28 }),
      model.images.plan({ width: 28, height: 56 }),
    ];
    const image = { type: 'image', image: 'a.png' } as const;
    const text = (said: string) => ({ type: 'text', text: said }) as const;
    const content = [text('A [IMG]'), image, text(' and '), image];
    const { promptIds, imageTokenCount } = preparePrompt(model, [{ role: 'user', content }], plans);
    const ids = (control: string) =>
      tokenizer.controlTokens.split(control).flatMap((part) => (part.kind === 'control' ? [part.id] : []));
    const plain = (said: string) => tokenizer.encodePlain(said, false);
    assert.equal(imageTokenCount, 4);
    assert.deepEqual(
      [...promptIds],
      [
        ...ids('<s>[INST]'),
        ...plain('A [IMG]'),
        ...ids('[IMG][IMG][IMG_END]'),
        ...plain(' and '),
        ...ids('[IMG][IMG_BREAK][IMG][IMG_END][/INST]'),
      ],
    );
  });
});

/** Parts in their order, calls of functions that templates may use, a refusal of other roles. */
const PUBLISHED = `{%- set today = strftime_now("%Y-%m-%d") %}{{- bos_token }}{%- for message in messages %}
{%- if message['role'] == 'user' %}{%- if message['content'] is string %}{{- '[INST]' + message['content'] + '[/INST]' }}{%- else %}{{- '[INST]' }}
{%- for block in message['content'] %}{%- if block['type'] == 'text' %}{{- block['text'] }}{%- elif block['type'] in ['image', 'image_url'] %}{{- '[IMG]' }}
{%- else %}{{- raise_exception('Only text and image blocks are supported in message content!') }}{%- endif %}{%- endfor %}{{- '[/INST]' }}{%- endif %}
{%- elif message['role'] == 'assistant' %}{{- message['content'] + eos_token }}{%- else %}{{- raise_exception('Only user and assistant roles are supported!') }}{%- endif %}
{%- endfor %}`;
