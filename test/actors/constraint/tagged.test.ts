import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConstraint } from '../../../actors/constraint/compile-constraint.ts';
import type { TaggedConstraint } from '../../../actors/constraint/constraint.ts';
import { ConstraintEngine } from '../../../actors/constraint/constraint-engine.ts';
import { ConstraintVocabulary } from '../../../actors/constraint/matcher/constraint-vocabulary.ts';
import type { TokenizerJson } from '../../../actors/model/tokenizer-json.ts';
import { EOS, has, matcherOf, takes } from './support/embedded-model.ts';

const call = (more: Partial<TaggedConstraint> = {}): TaggedConstraint => ({
  type: 'tagged',
  tags: [
    {
      begin: '<call>',
      content: {
        type: 'json_schema',
        schema: { type: 'object', properties: { a: { type: 'integer' } }, required: ['a'] },
      },
      end: '</call>',
    },
  ],
  ...more,
});

test('text is free until a passage begins, and free again behind it', () => {
  for (const text of ['', 'no call', 'a < b <cal', 'x<<call>{"a":1}</call> and <call>{"a":2}</call>.']) {
    assert.equal(takes(call(), text), true, text);
  }
  for (const text of ['<call>', 'x<call>{}</call>', '<call>{"a":1}', '<call>{"a":1}x</call>']) {
    assert.equal(takes(call(), text), false, text);
  }
});

test('a passage that has to come comes first', () => {
  assert.equal(takes(call({ required: true }), '<call>{"a":1}</call> done'), true);
  for (const text of ['', 'Well, <call>{"a":1}</call>'])
    assert.equal(takes(call({ required: true }), text), false, text);
});

test('the answer ends behind the last passage', () => {
  const once = call({ maxTags: 1 });
  for (const text of ['none', 'so: <call>{"a":1}</call>']) assert.equal(takes(once, text), true, text);
  assert.equal(takes(once, '<call>{"a":1}</call>.'), false);
  const two = call({ maxTags: 2, required: true });
  for (const text of ['<call>{"a":1}</call> ok', '<call>{"a":1}</call>\n<call>{"a":2}</call>']) {
    assert.equal(takes(two, text), true, text);
  }
  assert.equal(takes(two, '<call>{"a":1}</call>\n<call>{"a":2}</call>.'), false);
});

test('a passage that begins like another is told apart by its content', () => {
  const same: TaggedConstraint = {
    type: 'tagged',
    tags: [
      { begin: '[', content: { type: 'regex', pattern: 'a+' }, end: ']' },
      { begin: '[', content: { type: 'regex', pattern: 'ab' }, end: '>' },
    ],
  };
  for (const text of ['x[aa]', '[ab>']) assert.equal(takes(same, text), true, text);
  for (const text of ['[aa>', '[ab]']) assert.equal(takes(same, text), false, text);
});

test('a begin that contains another, or none, is refused', () => {
  const tag = (begin: string) => ({ begin, content: { type: 'regex', pattern: 'a' }, end: '.' }) as const;
  for (const tags of [[tag('<a'), tag('<a>')], [tag('')], []]) {
    assert.throws(() => matcherOf({ type: 'tagged', tags }), { code: 'CONSTRAINT_INVALID' });
  }
});

test('a control token that shows in the answer may spell a tag, and comes nowhere else', () => {
  const json: TokenizerJson = {
    added_tokens: [
      { id: 300, content: '<call>', special: false, single_word: false, lstrip: false, rstrip: false },
    ],
    pre_tokenizer: null,
    decoder: { type: 'ByteLevel' },
    model: {
      vocab: Object.fromEntries(
        [...'<cal>{"}:/01 '].map((letter, id) => [letter === ' ' ? 'Ġ' : letter, id]),
      ),
    },
  };
  const vocabulary = new ConstraintVocabulary(json, [299]);
  const matcher = new ConstraintEngine(vocabulary).matcher(
    compileConstraint(call(), 'constraint', ['<call>', '<other>']),
  );
  const accept = (text: string) => {
    for (const letter of text) matcher.accept([...'<cal>{"}:/01 '].indexOf(letter));
  };
  assert.equal(has(matcher.mask(), 300), true);
  accept('ca ');
  assert.equal(has(matcher.mask(), 300), true);
  matcher.accept(300);
  assert.equal(has(matcher.mask(), 300), false);
  accept('{"a":1}</call>');
  assert.equal(has(matcher.mask(), 299), true);
  assert.notEqual(EOS, 299);
});

test('behind a control token that begins a passage nothing but that passage can come', () => {
  const letters = [...'[CAL]fg{"}:1 '];
  const control = (id: number, content: string) => ({
    ...{ id, content, special: true, single_word: false, lstrip: false, rstrip: false },
  });
  const json: TokenizerJson = {
    added_tokens: [control(300, '[TOOL_CALLS]'), control(301, '[ARGS]'), control(302, '[OTHER]')],
    pre_tokenizer: null,
    decoder: { type: 'ByteLevel' },
    model: { vocab: Object.fromEntries(letters.map((letter, id) => [letter === ' ' ? 'Ġ' : letter, id])) },
  };
  const content = { type: 'json_schema', schema: { const: 1 } } as const;
  const tags = ['f', 'g'].map((name) => ({ begin: `[TOOL_CALLS]${name}[ARGS]`, content, end: '' }));
  const constraint: TaggedConstraint = { type: 'tagged', tags };
  const controls = ['[TOOL_CALLS]', '[ARGS]', '[OTHER]'];
  const vocabulary = new ConstraintVocabulary(json, [299]);
  const matcher = new ConstraintEngine(vocabulary).matcher(
    compileConstraint(constraint, 'constraint', controls),
  );
  const may = () => {
    const mask = matcher.mask();
    const ids = [...letters.keys(), 299, 300, 301, 302].filter((id) => has(mask, id));
    return ids.map((id) => letters[id] ?? id);
  };
  matcher.accept(letters.indexOf('f'));
  assert.deepEqual(may(), [...letters, 299, 300]);
  matcher.accept(300);
  assert.deepEqual(may(), ['f', 'g']);
  matcher.accept(letters.indexOf('g'));
  assert.deepEqual(may(), ['[', 301]);
  matcher.accept(301);
  assert.deepEqual(may(), ['1']);
});
