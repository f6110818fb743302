import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { dirname, join } from 'node:path';
import { describe, it } from 'node:test';
import { candidates } from '../../actors/pd/sampler/truncation.ts';
import { parseChatRequest } from '../../src/server/openai/chat-request.ts';
import type { FieldRules } from '../../src/server/openai/field-rule.ts';
import { FOREIGN_FIELDS } from '../../src/server/openai/foreign-fields.ts';
import {
  FILE_FIELDS,
  FILE_PART_FIELDS,
  IMAGE_PART_FIELDS,
  IMAGE_URL_FIELDS,
  MESSAGE_FIELDS,
  TEXT_PART_FIELDS,
} from '../../src/server/openai/message-fields.ts';
import { REQUEST_FIELDS } from '../../src/server/openai/request-fields.ts';
import { fieldTable, groupedTable } from './support/field-table.ts';
import { HELLO } from './support/server.ts';

const PICTURE = 'data:image/png;base64,iVBORw0KGgo=';

const FACTS = { modelNames: ['pilot'], allowPull: false, maxImages: 8 };

/** The fields of a type in the official client. */
function fieldsOfClient(type: string, indent = 4): string[] {
  const main = createRequire(import.meta.url).resolve('openai');
  const file = join(dirname(main), 'resources', 'chat', 'completions', 'completions.d.ts');
  const text = readFileSync(file, 'utf8');
  const start = text.indexOf(`interface ${type} {`);
  assert(start > 0);
  const body = text.slice(start, text.indexOf(`\n${' '.repeat(indent - 4)}}\n`, start));
  return [...body.matchAll(new RegExp(`^ {${indent}}(\\w+)\\??:`, 'gm'))].map(([, name = '']) => name);
}

/** Values that ask for something else than what is the case anyway. */
const ASKING: Readonly<Record<string, readonly unknown[]>> = {
  n: [2],
  logprobs: [true],
  top_logprobs: [5],
  logit_bias: [{ 50256: -100 }, { 1: 0, 2: 0.5 }],
  response_format: [{ type: 'json_object' }, { type: 'json_schema', json_schema: {} }],
  modalities: [['text', 'audio'], ['audio'], []],
  tools: [[{ type: 'function', function: { name: 'f' } }], {}],
  tool_choice: ['required', { type: 'function', function: { name: 'f' } }],
  functions: [[{ name: 'f' }]],
  function_call: [{ name: 'f' }],
  reasoning_effort: ['high', 'minimal'],
  verbosity: ['low', 'high'],
  reasoning: [{ enabled: true }, { effort: 'high' }, { max_tokens: 9 }, []],
  thinking: [{ type: 'enabled', budget_tokens: 9 }],
  top_n_sigma: [1],
  add_generation_prompt: [false],
  skip_special_tokens: [false],
  spaces_between_special_tokens: [false],
  grammar: ['root ::= "a"'],
};

/** Every value that is taken. Of the others the table itself names them. */
const NEUTRAL: Readonly<Record<string, readonly unknown[]>> = {
  logit_bias: [{}, [], { 50256: 0 }],
  response_format: [{ type: 'text' }],
  reasoning: [{ enabled: false }, { effort: 'none', exclude: true }, {}],
};

/** What is taken only as this is not taken as one of those. */
const OTHERWISE: Readonly<Record<string, readonly unknown[]>> = {
  '1': [2, 0.5, '1', true],
  '0': [1, -1, '0', false],
  false: [true, 'false', 0],
  '[]': [['x'], {}, ''],
  '{}': [{ x: 1 }, [], ''],
};

const refusal = (param: string) => (error: unknown) =>
  error instanceof Error && 'facts' in error && (error.facts as { param: string }).param === param;

describe('the table of request fields', () => {
  for (const [type, rules, least, indent] of [
    ['ChatCompletionCreateParamsBase', REQUEST_FIELDS, 31, 4],
    ['ChatCompletionSystemMessageParam', MESSAGE_FIELDS, 3, 4],
    ['ChatCompletionDeveloperMessageParam', MESSAGE_FIELDS, 3, 4],
    ['ChatCompletionUserMessageParam', MESSAGE_FIELDS, 3, 4],
    ['ChatCompletionAssistantMessageParam', MESSAGE_FIELDS, 7, 4],
    ['ChatCompletionMessage', MESSAGE_FIELDS, 7, 4],
    ['ChatCompletionContentPartText', TEXT_PART_FIELDS, 3, 4],
    ['ChatCompletionContentPartImage', IMAGE_PART_FIELDS, 3, 4],
    ['ImageURL', IMAGE_URL_FIELDS, 2, 8],
  ] as const) {
    it(`knows every field that the official client has in ${type}`, () => {
      const fields = fieldsOfClient(type, indent);
      assert(fields.length >= least, fields.join());
      assert.deepEqual(
        fields.filter((name) => !(name in rules)),
        [],
      );
    });
  }

  it('is the table in the documentation', () => {
    const docs = readFileSync(new URL('../../docs/server.md', import.meta.url), 'utf8');
    const parts = [TEXT_PART_FIELDS, IMAGE_PART_FIELDS, IMAGE_URL_FIELDS, FILE_PART_FIELDS, FILE_FIELDS];
    for (const table of [
      fieldTable(REQUEST_FIELDS),
      ...[FOREIGN_FIELDS, MESSAGE_FIELDS, ...parts].map(groupedTable),
    ]) {
      assert(docs.includes(`\n\n${table}\n\n`), `is not in docs/server.md:\n${table}`);
    }
  });

  const send = (name: string, value: unknown) => (): void => {
    parseChatRequest({ ...HELLO, [name]: value }, FACTS);
  };
  for (const [name, rule] of Object.entries({ ...REQUEST_FIELDS, ...FOREIGN_FIELDS })) {
    if (rule.kind === 'honoured') continue;
    it(`takes null for ${name}`, send(name, null));
    if (rule.kind === 'refused') {
      it(`refuses ${name}`, () => assert.throws(send(name, {}), refusal(name)));
    }
    if (rule.kind === 'accepted') {
      it(`takes ${name}, whatever it is`, () => {
        for (const value of [true, false, 'x', 7, {}, { x: 'y' }, []]) send(name, value)();
      });
    }
    if (rule.kind === 'only') {
      it(`takes ${name} only as ${rule.values}`, () => {
        const asking = ASKING[name] ?? OTHERWISE[rule.values];
        assert(asking !== undefined);
        for (const value of [...asking, 'x']) assert.throws(send(name, value), refusal(name));
        for (const value of NEUTRAL[name] ?? JSON.parse(`[${rule.values}]`)) send(name, value)();
      });
    }
  }

  it('refuses other fields by name, those too that every object inherits', () => {
    for (const name of ['temprature', 'constructor', 'toString', 'x'.repeat(100)]) {
      assert.throws(send(name, 1), refusal(name.length > 64 ? `${name.slice(0, 63)}…` : name));
    }
  });
});

describe('a field of a message or a part', () => {
  const said = [
    { type: 'text', text: 'What do you see?' },
    { type: 'image_url', image_url: { url: PICTURE } },
    { type: 'file', file: { file_data: PICTURE } },
  ] as const;
  const plain = parseChatRequest({ messages: [{ role: 'user', content: said }] }, FACTS);
  const [text, picture, file] = said;
  const send = (message: object) => parseChatRequest({ messages: [message] }, FACTS);

  const places: readonly [string, FieldRules, (field: object) => object][] = [
    ['messages[0]', MESSAGE_FIELDS, (field) => ({ role: 'user', content: said, ...field })],
    [
      'messages[0].content[0]',
      TEXT_PART_FIELDS,
      (field) => ({ role: 'user', content: [{ ...text, ...field }, picture, file] }),
    ],
    [
      'messages[0].content[1]',
      IMAGE_PART_FIELDS,
      (field) => ({ role: 'user', content: [text, { ...picture, ...field }, file] }),
    ],
    [
      'messages[0].content[1].image_url',
      IMAGE_URL_FIELDS,
      (field) => ({
        role: 'user',
        content: [text, { ...picture, image_url: { url: PICTURE, ...field } }, file],
      }),
    ],
    [
      'messages[0].content[2]',
      FILE_PART_FIELDS,
      (field) => ({ role: 'user', content: [text, picture, { ...file, ...field }] }),
    ],
    [
      'messages[0].content[2].file',
      FILE_FIELDS,
      (field) => ({
        role: 'user',
        content: [text, picture, { ...file, file: { file_data: PICTURE, ...field } }],
      }),
    ],
  ];
  for (const [path, rules, at] of places) {
    for (const [name, rule] of [...Object.entries(rules), ['unheard_of', undefined] as const]) {
      if (rule?.kind === 'honoured') continue;
      const taken =
        rule === undefined || rule.kind === 'refused'
          ? [null]
          : rule.kind === 'accepted'
            ? [null, 'x', 7, true, {}, [], [{ type: 'url_citation' }]]
            : [null, ...JSON.parse(`[${rule.values}]`)];
      it(`${path}.${name} changes nothing of the request, or is refused by name`, () => {
        for (const value of taken) assert.deepEqual(send(at({ [name]: value })).chat, plain.chat);
        if (rule?.kind === 'accepted') return;
        for (const value of ['x', [{ id: 'call_1' }], { name: 'f' }, true]) {
          assert.throws(() => send(at({ [name]: value })), refusal(`${path}.${name}`));
        }
      });
    }
  }
});

describe('the content of a message', () => {
  const contentOf = (message: object) => parseChatRequest({ messages: [message] }, FACTS).chat.messages[0];

  it('of an assistant may be null or absent, as of one that called tools', () => {
    for (const message of [{ role: 'assistant', content: null }, { role: 'assistant' }]) {
      assert.deepEqual(contentOf(message), { role: 'assistant', content: '' });
    }
  });

  it('may be empty', () => {
    for (const role of ['user', 'assistant', 'system']) {
      assert.deepEqual(contentOf({ role, content: '' }), { role, content: '' });
      assert.deepEqual(contentOf({ role, content: [] }), { role, content: '' });
    }
  });

  it('of another may not be null or absent', () => {
    for (const message of [{ role: 'user', content: null }, { role: 'user' }, { role: 'system' }]) {
      assert.throws(() => contentOf(message), refusal('messages[0].content'));
    }
  });

  for (const [what, part] of [
    ['a URL alone', { type: 'image_url', image_url: PICTURE }],
    ['a URL with white space around it', { type: 'image_url', image_url: ` \n${PICTURE}\n` }],
    ['the URL of an object with white space', { type: 'image_url', image_url: { url: `\t${PICTURE} ` } }],
    ['a file that is a picture', { type: 'file', file: { file_data: PICTURE, filename: 'a.png' } }],
  ] as const) {
    it(`has ${what}`, () => {
      assert.deepEqual(contentOf({ role: 'user', content: [part] })?.content, [
        { type: 'image', image: PICTURE },
      ]);
    });
  }

  for (const [what, part, param] of [
    ['no URL', { type: 'image_url', image_url: { url: 'picture.png' } }, 'image_url.url'],
    ['nothing', { type: 'image_url', image_url: ' ' }, 'image_url'],
    ['a number', { type: 'image_url', image_url: 7 }, 'image_url'],
    [
      'a PDF',
      { type: 'file', file: { file_data: 'data:application/pdf;base64,JVBERi0=' } },
      'file.file_data',
    ],
    ['the id of a file', { type: 'file', file: { file_id: 'file-1' } }, 'file.file_id'],
    ['no file', { type: 'file' }, 'file'],
  ] as const) {
    it(`has no picture where there is ${what}, and says where`, () => {
      assert.throws(
        () => contentOf({ role: 'user', content: [part] }),
        refusal(`messages[0].content[0].${param}`),
      );
    });
  }
});

describe('sampling fields with the values of other clients', () => {
  const sampled = (fields: object) => parseChatRequest({ ...HELLO, ...fields }, FACTS).chat;

  it('top_p 0 keeps the likeliest token alone', () => {
    const { topP } = sampled({ top_p: 0 });
    assert(topP !== undefined && topP > 0);
    // Two tokens of equal weight: even of these one remains.
    assert.equal(candidates(new Float64Array([1, 1]), 2, { topK: 0, topP, minP: 0 }).length, 1);
  });

  it('top_k -1 keeps all', () => assert.equal(sampled({ top_k: -1 }).topK, 0));

  it('still have their ranges', () => {
    for (const field of [{ top_p: -0.1 }, { top_p: 1.1 }, { top_k: -2 }]) {
      assert.throws(() => sampled(field), refusal(Object.keys(field)[0] ?? ''));
    }
  });
});

describe('a seed', () => {
  for (const [given, used] of [
    [7, 7],
    [-1, 2 ** 32 - 1],
    [2 ** 40 + 5, 5],
    [2 ** 53 + 2, 2],
    [2 ** 63 + 2 ** 31, 2 ** 31],
    [-(2 ** 60) - 2 ** 20, 2 ** 32 - 2 ** 20],
    [1e308, 0],
  ] as const) {
    it(`of ${given} counts as ${used}`, () => {
      assert.equal(parseChatRequest({ ...HELLO, seed: given }, FACTS).chat.seed, used);
    });
  }
});
