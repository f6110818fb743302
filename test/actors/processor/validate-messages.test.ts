import assert from 'node:assert/strict';
import { test } from 'node:test';
import { validateMessages } from '../../../actors/processor/validate-messages.ts';
import { code } from '../model/support/model-fixture.ts';

const image = { type: 'image', image: 'a.png' };
const text = { type: 'text', text: 'What?' };

/** What is wrong, the code, and the field that the message must name. */
const refused: readonly [what: string, messages: unknown, code: string, field: string][] = [
  ['no list', undefined, 'EMPTY_MESSAGES', 'messages'],
  ['an empty list', [], 'EMPTY_MESSAGES', 'messages'],
  ['a message that is text', ['hi'], 'INVALID_CONTENT', 'messages[0]'],
  ['an unknown role', [{ role: 'function', content: 'x' }], 'INVALID_ROLE', 'messages[0].role'],
  ['no role', [{ content: 'x' }], 'INVALID_ROLE', 'messages[0].role'],
  ['no content', [{ role: 'user' }], 'INVALID_CONTENT', 'messages[0].content'],
  ['no parts', [{ role: 'user', content: [] }], 'INVALID_CONTENT', 'messages[0].content'],
  [
    'a part that is null',
    [{ role: 'user', content: [null] }],
    'INVALID_CONTENT',
    'messages[0].content[0].type',
  ],
  [
    'an unknown part',
    [{ role: 'user', content: [{ type: 'audio' }] }],
    'INVALID_CONTENT',
    'messages[0].content[0].type',
  ],
  [
    'a text that is a number',
    [{ role: 'user', content: [{ type: 'text', text: 1 }] }],
    'INVALID_CONTENT',
    'messages[0].content[0].text',
  ],
  [
    'an image that is a number',
    [{ role: 'user', content: [text, { type: 'image', image: 1 }] }],
    'INVALID_CONTENT',
    'messages[0].content[1].image',
  ],
  [
    'an image without a source',
    [{ role: 'user', content: [text, { type: 'image', image: '' }] }],
    'INVALID_CONTENT',
    'messages[0].content[1].image',
  ],
  [
    'nine images',
    [{ role: 'user', content: [text, ...Array(9).fill(image)] }],
    'TOO_MANY_IMAGES',
    'messages',
  ],
];

for (const [what, messages, expected, field] of refused) {
  test(`${what}: ${expected} at ${field}`, () => {
    assert.throws(
      () => validateMessages(messages),
      (error) => {
        assert.ok(code(expected)(error), String(error));
        assert.ok(error instanceof Error && error.message.startsWith(`${field}: `), String(error));
        return true;
      },
    );
  });
}

test('images are returned in reading order with their fields', () => {
  const bytes = new Uint8Array(1);
  const images = validateMessages([
    { role: 'user', content: [{ type: 'image', image: 'a.png' }, text] },
    { role: 'assistant', content: 'It is.' },
    { role: 'user', content: [text, { type: 'image', image: bytes }] },
  ]);
  assert.deepEqual(images, [
    { source: 'a.png', field: 'messages[0].content[0].image' },
    { source: bytes, field: 'messages[2].content[1].image' },
  ]);
});

for (const [what, messages] of [
  ['an image alone', [{ role: 'user', content: [image] }]],
  ['an image beside an empty text', [{ role: 'user', content: [image, { type: 'text', text: '' }] }]],
  ['empty text', [{ role: 'user', content: '' }]],
  ['blank text', [{ role: 'user', content: ' \n\t' }]],
  ['a system message alone', [{ role: 'system', content: 'Be kind.' }]],
  ['an answer alone', [{ role: 'assistant', content: 'It is.' }]],
] as const) {
  test(`${what} may be answered`, () => {
    assert.equal(validateMessages(messages).length, what.startsWith('an image') ? 1 : 0);
  });
}

test('an answer begun by the assistant may end the list', () => {
  assert.deepEqual(
    validateMessages([
      { role: 'user', content: 'Hi' },
      { role: 'assistant', content: '' },
    ]),
    [],
  );
});

test('the limit of images can be set', () => {
  const messages = [{ role: 'user', content: [text, image, image] }];
  assert.equal(validateMessages(messages, { maxImages: 2 }).length, 2);
  assert.throws(() => validateMessages(messages, { maxImages: 1 }), code('TOO_MANY_IMAGES'));
});
