import assert from 'node:assert/strict';
import { test } from 'node:test';
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
