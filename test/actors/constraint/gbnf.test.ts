import assert from 'node:assert/strict';
import { test } from 'node:test';
import { matcherOf, takes } from './support/embedded-model.ts';

const gbnf = (grammar: string) => ({ type: 'grammar', grammar }) as const;

test('rules, groups, alternatives and repetitions of GBNF', () => {
  const sum = gbnf(`
    root ::= term (" + " term)*   # a sum
    term ::= number | "(" root ")"
    number ::= [1-9] [0-9]{0,2} ("." [0-9]+)?
  `);
  for (const text of ['1', '12 + 345', '(1 + 2.50) + ((3))']) assert.equal(takes(sum, text), true, text);
  for (const text of ['0', '1234', '1 +', '(1', '1.', '']) assert.equal(takes(sum, text), false, text);
});

test('escapes and sets of characters', () => {
  const odd = gbnf('root ::= "\\"\\x41\\u00e9\\\\" [^\\]a-c\\-] .');
  assert.equal(takes(odd, '"Aé\\d😀'), true);
  for (const text of ['"Aé\\ax', '"Aé\\]x', '"Aé\\-x', '"Aé\\d']) assert.equal(takes(odd, text), false, text);
});

test('balanced brackets, however deep', () => {
  const balanced = gbnf('root ::= ("(" root ")")*');
  assert.equal(takes(balanced, '(()(()))()'), true);
  assert.equal(takes(balanced, '(()(())'), false);
});

test('an ambiguous grammar is followed in all of its readings', () => {
  const ambiguous = gbnf('root ::= a? a? a? "b"\na ::= "x" | "x" a "x"');
  assert.equal(takes(ambiguous, 'xxxxxb'), true);
  assert.equal(takes(ambiguous, 'xx'), false);
});

const refused: readonly (readonly [string, string, RegExp])[] = [
  ['root ::= other', 'CONSTRAINT_INVALID', /the rule other, which is not defined, in line 1/],
  ['start ::= "a"', 'CONSTRAINT_INVALID', /no rule root/],
  ['root ::= "a" | "b', 'CONSTRAINT_INVALID', /unexpected .* in line 1/],
  ['root ::= ("a"', 'CONSTRAINT_INVALID', /parenthesis/],
  ['root ::= "a"\nroot ::= "b"', 'CONSTRAINT_INVALID', /the rule root twice in line 2/],
  ['root ::= [z-a]', 'CONSTRAINT_INVALID', /range/],
  ['root ::= "a"{3,1}', 'CONSTRAINT_INVALID', /repetition/],
  ['root ::= "\\q"', 'CONSTRAINT_INVALID', /escape/],
  ['root ::= root "a" | "b"', 'CONSTRAINT_UNSUPPORTED', /begins with itself/],
  ['root ::= x root | "b"\nx ::= "y"?', 'CONSTRAINT_UNSUPPORTED', /begins with itself/],
  ['root ::= "a" root', 'CONSTRAINT_INVALID', /cannot be satisfied/],
];
for (const [grammar, code, message] of refused) {
  test(`${JSON.stringify(grammar)} is refused`, () => {
    assert.throws(() => matcherOf(gbnf(grammar)), { code, message });
  });
}
