import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConstraint } from '../../../actors/constraint/compile-constraint.ts';
import { isAnswer } from './support/grammar-text.ts';
import { randomFrom } from './support/random-schema.ts';

const EDGES = [
  0,
  1,
  9,
  10,
  99,
  100,
  101,
  0.1,
  0.30000000000000004,
  0.5,
  0.99,
  1.5,
  1e-6,
  9.99e-7,
  1e-7,
  1.5e-7,
  1e-20,
  1e-300,
  123456.789,
  999.999,
  2 ** 53,
  2 ** 53 - 1,
  1e20,
  1.2345e20,
  1e21,
  1.5e21,
  1.000000000000001e22,
  9.999e99,
  1e100,
  1e308,
].flatMap((value) => [value, -value]);
const BOUNDS = [0, 1, -1, 0.1, -0.1, 10, 99.5, 1e-7, -1e-7, 1e21, -1e21, 1.5e-10, 1e100, 2 ** 53, -273.15];

function grammarOf(schema: Record<string, unknown>) {
  return compileConstraint({ type: 'json_schema', schema });
}

for (const [keyword, holds] of [
  ['minimum', (value: number, bound: number) => value >= bound],
  ['maximum', (value: number, bound: number) => value <= bound],
  ['exclusiveMinimum', (value: number, bound: number) => value > bound],
  ['exclusiveMaximum', (value: number, bound: number) => value < bound],
] as const) {
  test(`${keyword}: exactly the numbers that it allows can be answered`, () => {
    for (const bound of BOUNDS) {
      const grammar = grammarOf({ type: 'number', [keyword]: bound });
      for (const value of new Set([...EDGES, ...BOUNDS])) {
        assert.equal(
          isAnswer(grammar, JSON.stringify(value)),
          holds(value, bound),
          `${value} ${keyword} ${bound}`,
        );
      }
    }
  });
}

test('a decimal just beyond an exclusive bound is refused, since it is read as the bound', () => {
  const grammar = grammarOf({ type: 'number', exclusiveMinimum: 0.1 });
  assert.equal(isAnswer(grammar, '0.10000000000000000001'), false);
  assert.equal(isAnswer(grammar, '0.10000000000000002'), true);
});

test('ranges of integers, any of random bounds', () => {
  const random = randomFrom(7);
  for (let i = 0; i < 60; i++) {
    const minimum = Math.floor((random() - 0.5) * 3_000);
    const maximum = minimum + Math.floor(random() * 1_200);
    const multipleOf = 1 + Math.floor(random() * 12);
    const grammar = grammarOf({
      type: 'integer',
      minimum,
      maximum,
      multipleOf: i % 2 === 0 ? 1 : multipleOf,
    });
    for (let value = minimum - 12; value <= maximum + 12; value += 7) {
      const allowed = value >= minimum && value <= maximum && (i % 2 === 0 || value % multipleOf === 0);
      assert.equal(
        isAnswer(grammar, `${value}`),
        allowed,
        `${value} in ${minimum}..${maximum} by ${multipleOf}`,
      );
    }
  }
});

test('numbers have no leading zeros, no plus, no point without digits', () => {
  const number = grammarOf({ type: 'number' });
  for (const text of ['01', '+1', '1.', '.5', '1e5', '1E+21', 'NaN', '-', '--1', '1.5e+5']) {
    assert.equal(isAnswer(number, text), false, text);
  }
  const integer = grammarOf({ type: 'integer' });
  for (const text of ['-0', '1.0', '1e+21', '00']) assert.equal(isAnswer(integer, text), false, text);
});
