import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConstraint } from '../../../actors/constraint/compile-constraint.ts';
import type { JsonSchema } from '../../../actors/constraint/constraint.ts';
import { bitsOf, EOS, generate, has, matcherOf, takes, vocabulary } from './support/embedded-model.ts';

const json = (schema: JsonSchema) => ({ type: 'json_schema', schema }) as const;

test('a choice lets its texts through and no other', () => {
  const choice = { type: 'choice', choices: ['yes', 'no', 'not now'] } as const;
  for (const text of choice.choices) assert.equal(takes(choice, text), true);
  for (const text of ['', 'y', 'yess', 'not', 'maybe']) assert.equal(takes(choice, text), false);
});

test('a pattern has to match the whole answer', () => {
  const regex = { type: 'regex', pattern: '\\d{3}-[a-fé]+' } as const;
  assert.equal(takes(regex, '123-abé'), true);
  for (const text of ['x123-a', '123-', '123-ag', '12-a']) assert.equal(takes(regex, text), false);
});

test('a JSON object is any object', () => {
  assert.equal(takes({ type: 'json_object' }, '{"a":[1,{"b":null}], "c": "é\\n"}'), true);
  for (const text of ['[]', '1', '{"a"}', '{,}', '{"a":1,}'])
    assert.equal(takes({ type: 'json_object' }, text), false);
});

test('properties come in order, optional ones may be left out', () => {
  const schema = json({
    type: 'object',
    properties: { a: { type: 'integer' }, b: { type: 'string' }, c: { type: 'boolean' } },
    required: ['b'],
    additionalProperties: false,
  });
  for (const text of [
    '{"b":""}',
    '{"a":1,"b":"x"}',
    '{"a": 1, "b": "x", "c": true}',
    '{"b":"x","c":false}',
  ]) {
    assert.equal(takes(schema, text), true, text);
  }
  for (const text of ['{}', '{"a":1}', '{"b":"x","a":1}', '{"b":"x","d":1}', '{"b":1}', '{"b":"","b":""}']) {
    assert.equal(takes(schema, text), false, text);
  }
});

test('the white space that begins an answer is one space at most, and none follows', () => {
  const schema = json({ const: { a: 1 } });
  assert.equal(takes(schema, ' {"a":1}'), true);
  for (const text of ['  {"a":1}', '{ "a":1}', '{"a":1} ', '{"a":  1}'])
    assert.equal(takes(schema, text), false, text);
});

test('control tokens never belong to an answer, and the end only where it may end', () => {
  const matcher = matcherOf(json({ type: 'string' }));
  assert.equal(has(matcher.mask(), EOS), false);
  for (const token of bitsOf(matcher.mask())) assert.notEqual(vocabulary.textOf(token), undefined);
});

test('the only way on is told ahead', () => {
  const matcher = matcherOf(json({ type: 'string', pattern: '^[xy]ab$' }));
  assert.deepEqual(matcher.forced(), []);
  const x = generate(matcher, (allowed) => allowed[0] ?? EOS, 20);
  assert.match(x ?? '', /^ ?"[xy]ab"$/);
});

test('a token that may not come next is refused', () => {
  const matcher = matcherOf({ type: 'choice', choices: ['a'] });
  assert.throws(() => matcher.accept(EOS), TypeError);
});

test('recursion goes as deep as the answer', () => {
  const schema = json({
    $defs: { tree: { type: 'array', items: { $ref: '#/$defs/tree' } } },
    $ref: '#/$defs/tree',
  });
  assert.equal(takes(schema, '[[],[[[]]]]'), true);
  assert.equal(takes(schema, '[[],[[[]]]'), false);
});

test('an address may be bounded in length, as that of pydantic is', () => {
  const schema = json({ type: 'string', format: 'uri', minLength: 1, maxLength: 2083 });
  const address = 'https://example.com:8080/a/b?c=1&d=x@y';
  assert.equal(takes(schema, JSON.stringify(address)), true);
  assert.equal(takes(schema, JSON.stringify('https://example.com')), true);
  for (const text of ['example.com', 'https://', 'https://example.com/a b', `${address}${'x'.repeat(2083)}`])
    assert.equal(takes(schema, JSON.stringify(text)), false, text.slice(0, 30));
});

const counted: readonly (readonly [JsonSchema, readonly string[], readonly string[]])[] = [
  [{ pattern: "^[\\p{L} '-]+$", maxLength: 100_000 }, ["Zoë d'É"], ['', 'a1']],
  [{ pattern: '^.+$', maxLength: 5000 }, ['a', '"'], ['', '\n', 'a\n']],
  [{ pattern: '^[ab]{2,5}$', minLength: 3 }, ['aba', 'ababa'], ['', 'ab', 'ababab', 'abc']],
  [{ pattern: '^[ab]*$', maxLength: 2 }, ['', 'a', 'bb'], ['aba', 'c']],
  [{ pattern: '^([ab][ab])*$', maxLength: 5 }, ['', 'ab', 'abab'], ['a', 'aba', 'ababa', 'ababab']],
  [{ pattern: '^([ab]{2})?$', maxLength: 9 }, ['', 'ab'], ['a', 'aba']],
  [{ pattern: '^[ab][ab]*c?$', maxLength: 3 }, ['a', 'abc', 'aba'], ['', 'c', 'abac']],
  [{ pattern: '^([ab]|c[ab])+$', maxLength: 3 }, ['a', 'ca', 'aca'], ['', 'c', 'ac', 'acab']],
];
for (const [keywords, right, wrong] of counted) {
  test(`a pattern and a length hold together: ${JSON.stringify(keywords)}`, () => {
    const schema = json({ type: 'string', ...Object(keywords) });
    for (const text of right) assert.equal(takes(schema, JSON.stringify(text)), true, text);
    for (const text of wrong) assert.equal(takes(schema, JSON.stringify(text)), false, text);
  });
}

test('a format that is not known says nothing beside patterns below allOf, as zod writes them', () => {
  const schema = json({
    type: 'string',
    format: 'includes',
    allOf: [{ pattern: '^a.*' }, { pattern: '.*b$' }, { pattern: 'c' }],
  });
  assert.equal(takes(schema, '"acb"'), true);
  assert.equal(takes(schema, '"ab"'), false);
});

test('counts of more than 32 bits are no small ones', () => {
  assert.equal(takes(json({ type: 'string', maxLength: 2 ** 32 }), '"aaa"'), true);
  assert.equal(takes(json({ type: 'string', minLength: 2 ** 32 }), '"aaa"'), false);
  assert.equal(takes(json({ type: 'array', minItems: 2 ** 32 + 1 }), '[1,2]'), false);
  assert.equal(takes(json({ type: 'array', maxItems: 2 ** 32 + 1 }), '[1,2]'), true);
});

test('items that must differ come in any order, each once', () => {
  const unique = (more: JsonSchema) => json({ type: 'array', uniqueItems: true, ...Object(more) });
  const labels = unique({ items: { enum: ['a', 'ab', 1, { x: [1] }] }, minItems: 2 });
  for (const text of ['["a","ab"]', '["ab", "a",1]', '[{"x":[1]},1,"a","ab"]']) {
    assert.equal(takes(labels, text), true, text);
  }
  for (const text of ['[]', '["a"]', '["a","a"]', '["a","ab","a"]', '[{"x":[1]},{"x":[1]}]']) {
    assert.equal(takes(labels, text), false, text);
  }
  const prefixed = unique({ prefixItems: [{ enum: ['a', 'b'] }, { const: 'a' }], items: false, minItems: 2 });
  assert.equal(takes(prefixed, '["b","a"]'), true);
  // What leads nowhere cannot begin.
  for (let i = 0; i < 20; i++) {
    const answer = generate(matcherOf(prefixed), (allowed) => allowed[(i * 7) % allowed.length] ?? EOS, 40);
    assert.deepEqual(JSON.parse(answer ?? ''), ['b', 'a']);
  }
  assert.equal(takes(unique({ items: { type: ['boolean', 'null'] } }), '[null,true,false]'), true);
  assert.equal(takes(unique({ items: { type: 'boolean' } }), '[true,true]'), false);
});

test('many items that must differ are refused as too large, few of many are not', () => {
  const items = { enum: Array.from({ length: 40 }, (_, i) => i) };
  const unique = json({ type: 'array', uniqueItems: true, items });
  assert.throws(() => compileConstraint(unique), { code: 'CONSTRAINT_TOO_LARGE' });
  assert.equal(takes(json({ type: 'array', uniqueItems: true, items, maxItems: 2 }), '[39,7]'), true);
});
