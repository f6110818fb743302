import assert from 'node:assert/strict';
import { readFile } from 'node:fs/promises';
import { test } from 'node:test';
import { settingsSchema } from '../../../actors/families/idefics3/config.ts';
import { imagesOf } from '../../../actors/families/registry.ts';
import type { TemplateMessage } from '../../../actors/model/chat-template.ts';
import { code } from './support/model-fixture.ts';
import {
  addedToken,
  addRowTokens,
  type PromptSetup,
  promptSetup,
  user,
  withTemplate,
  withTokenizer,
} from './support/prompts.ts';

const FIXTURES = new URL('../../fixtures/', import.meta.url);

async function fixture<T>(path: string): Promise<T> {
  return JSON.parse(await readFile(new URL(path, FIXTURES), 'utf8'));
}

interface PreprocessGolden {
  readonly configs: Readonly<Record<string, unknown>>;
  readonly decoded: readonly { readonly image: string; readonly width: number; readonly height: number }[];
  readonly prompts: Readonly<Record<'plain' | 'rowTokens', readonly PromptGolden[]>>;
}

interface PromptGolden {
  readonly config: string;
  readonly images: readonly string[];
  readonly messages: readonly {
    readonly role: string;
    readonly content: string | TemplateMessage['content'];
  }[];
  readonly ids: readonly number[];
}

const golden = await fixture<PreprocessGolden>('preprocess/preprocess.json');
const one = await promptSetup();
const ids = (text: string, setup: PromptSetup = one): number[] => setup.encoder.encode([user(text)], []);
/** Prompt of the default model around one user text: `<|im_start|>User: …<end_of_utterance>\nAssistant:` */
const CONTROL_IN_EMPTY_PROMPT = ids('x').filter((id) => id < 7);

function encodeGolden(
  { encoder, directory }: PromptSetup,
  { config, images, messages }: PromptGolden,
): number[] {
  const { tokensPerTile } = settingsSchema.parse(directory.settings);
  const settings = settingsSchema.parse({ preprocessor: golden.configs[config], tokensPerTile });
  const family = imagesOf({ ...directory, settings });
  const expansions = images.map((name) => {
    const size = golden.decoded.find(({ image }) => image === name);
    assert.ok(size);
    return family.plan(size).expand();
  });
  const conversation = messages.map(({ role, content }): TemplateMessage => {
    return { role, content: typeof content === 'string' ? [{ type: 'text', text: content }] : content };
  });
  return encoder.encode(conversation, expansions);
}

test('the prompts of all pilot goldens are reproduced', async () => {
  const pilots = await fixture<readonly { question: string; promptIds: number[] }[]>('golden/golden.json');
  assert.equal(pilots.length, 40);
  const { directory, encoder } = one;
  const expansion = imagesOf(directory).plan({ width: 80, height: 80 }).expand();
  for (const { question, promptIds } of pilots) {
    const content = [{ type: 'image' }, { type: 'text', text: question }] as const;
    assert.deepEqual(encoder.encode([{ role: 'user', content }], [expansion]), promptIds);
  }
});

test('prompts with tiles and several turns equal the reference processor', () => {
  for (const each of golden.prompts.plain) assert.deepEqual(encodeGolden(one, each), each.ids);
});

test('prompts equal the reference processor when the tile labels are added tokens', async (t) => {
  const setup = await withTokenizer(t, addRowTokens);
  for (const each of golden.prompts.rowTokens) assert.deepEqual(encodeGolden(setup, each), each.ids);
});

test('user text merges with template text before it', () => {
  // ' What' after 'User:' is one stretch: the space and the word are no tokens of their own.
  const text = one.tokenizer.encodePlain('User: What is it?', false);
  assert.deepEqual(ids('What is it?').slice(1, 1 + text.length), text);
});

for (const token of one.tokenizer.controlTokens.contents) {
  test(`${token} in user text is text`, () => {
    const prompt = ids(`a ${token} b ${token}`);
    assert.deepEqual(
      prompt.filter((id) => id < 7),
      CONTROL_IN_EMPTY_PROMPT,
    );
    assert.ok(one.decoder.decode(prompt).includes(`a ${token} b ${token}`));
  });
}

test('a tile label in user text is text where it is a token', async (t) => {
  const setup = await withTokenizer(t, addRowTokens);
  assert.ok(ids('see <row_1_col_1>', setup).every((id) => id < 459));
});

test('a control token cannot be put together from two text parts', () => {
  const prompt = one.encoder.encode([user('<ima', 'ge>')], []);
  assert.deepEqual(
    prompt.filter((id) => id < 7),
    CONTROL_IN_EMPTY_PROMPT,
  );
});

test('a control token cannot be put together from template and user text', async () => {
  const before = await withTemplate(
    "<{% for m in messages %}{% for p in m.content %}{% if p.type == 'image' %}<image>{% else %}{{ p.text }}{% endif %}{% endfor %}{% endfor %}",
  );
  assert.ok(!ids('image>', before).includes(3));
  const after = await withTemplate(
    "{% for m in messages %}{% for p in m.content %}{% if p.type == 'image' %}<image>{% else %}{{ p.text }}{% endif %}{% endfor %}ge>{% endfor %}",
  );
  assert.ok(!ids('<ima', after).includes(3));
});

test('overlapping and nested spellings forge nothing', () => {
  for (const text of [
    '<<image>>',
    '<image<image>>',
    '<end_of_<end_of_utterance>utterance>',
    '<|im_start|><|im_end|>',
  ]) {
    assert.deepEqual(
      ids(text).filter((id) => id < 7),
      CONTROL_IN_EMPTY_PROMPT,
    );
    assert.ok(one.decoder.decode(ids(text)).includes(text));
  }
});

test('private-use characters in user text stay themselves', () => {
  const text = '\uE000 < \uE001 > \uE002 <image>';
  assert.ok(one.decoder.decode(ids(text)).includes(text));
});

test('a control token that the vocabulary also holds whole is not reachable from user text', async (t) => {
  const setup = await withTokenizer(t, (file) => {
    file.model.ignore_merges = true;
    file.pre_tokenizer = { type: 'ByteLevel', add_prefix_space: false, use_regex: false };
  });
  assert.ok(!ids('<image>', setup).includes(3));
  assert.ok(!setup.tokenizer.encodePlain('<image>', true).includes(3));
});

test('a lone surrogate in user text becomes the replacement character', () => {
  assert.ok(one.decoder.decode(ids('a\uD800b')).includes('a\uFFFDb'));
});

test('white space around a token that swallows it is swallowed, as in the reference', async (t) => {
  const setup = await withTokenizer(t, (file) => {
    for (const token of file.added_tokens) if (token.content === '<end_of_utterance>') token.rstrip = true;
  });
  const end = ids('x').indexOf(6);
  const swallowed = ids('x', setup);
  assert.deepEqual(swallowed.slice(0, end + 1), ids('x').slice(0, end + 1));
  assert.deepEqual(swallowed.slice(end + 1), one.tokenizer.encodePlain('Assistant:', false));
});

test('a token of its own word only is not matched inside a word', async (t) => {
  const setup = await withTokenizer(t, (file) => {
    file.added_tokens.push(addedToken(459, 'Assis', { single_word: true }));
  });
  assert.ok(!ids('x', setup).includes(459));
});

test('a run of spaces that is an ordinary added token stays available to user text', async (t) => {
  const setup = await withTokenizer(t, (file) => {
    file.added_tokens.push(addedToken(459, '   ', { special: false }));
  });
  assert.ok(ids('a   b', setup).includes(459));
});

test('the first token of the tokenizer is added unless the template writes it by its variable', async (t) => {
  const addStart = (file: { post_processor: unknown }): void => {
    file.post_processor = {
      type: 'TemplateProcessing',
      single: [{ SpecialToken: { id: '<|im_start|>', type_id: 0 } }, { Sequence: { id: 'A', type_id: 0 } }],
      pair: [],
      special_tokens: { '<|im_start|>': { id: '<|im_start|>', ids: [1], tokens: ['<|im_start|>'] } },
    };
  };
  const asText = await withTokenizer(t, addStart);
  const withFirst = (first: string) => {
    const chatTemplate = asText.directory.chatTemplate?.replace('<|im_start|>', first) ?? '';
    return promptSetup({ ...asText.directory, chatTemplate });
  };
  assert.deepEqual(ids('x', await withFirst('')), ids('x'));
  assert.deepEqual(ids('x', await withFirst('{{ bos_token }}')), ids('x'));
  assert.deepEqual(ids('x', asText), [1, ...ids('x')], 'in its text, it is text');
});

test('images that the template drops are an error', () => {
  assert.throws(() => one.encoder.encode([user('x')], ['<image>']), code('IMAGE_COUNT_MISMATCH'));
});

test('a template that raises is an error about the conversation', async () => {
  const source =
    "{% if messages[0].role != 'user' %}{{ raise_exception('no') }}{% endif %}{% for p in messages[0].content %}{% if p.type == 'image' %}<image>{% else %}{{ p.text }}{% endif %}{% endfor %}";
  const { encoder } = await withTemplate(source);
  const system: TemplateMessage = { role: 'system', content: [{ type: 'text', text: 'x' }] };
  assert.throws(() => encoder.encode([system], []), code('CHAT_TEMPLATE_REFUSED'));
});

test('a template for text alone is refused at start', async () => {
  await assert.rejects(withTemplate('{{ messages[0].content }}'), code('MODEL_UNSUPPORTED'));
});

test('a template that does not parse is corrupt', async () => {
  await assert.rejects(withTemplate('{% for m in %}'), code('MODEL_FILE_CORRUPT'));
});

test('a tokenizer without the image token is refused at start', async (t) => {
  const made = withTokenizer(t, (file) => {
    file.added_tokens = file.added_tokens.filter((token) => token.content !== '<image>');
  });
  await assert.rejects(made, code('MODEL_UNSUPPORTED'));
});
