import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConstraint } from '../../../actors/constraint/compile-constraint.ts';
import type { Constraint, JsonSchema } from '../../../actors/constraint/constraint.ts';
import { bitsOf, EOS, matcherOf } from './support/embedded-model.ts';

const json = (schema: JsonSchema): Constraint => ({ type: 'json_schema', schema });
const regex = (pattern: string): Constraint => ({ type: 'regex', pattern });
const gbnf = (grammar: string): Constraint => ({ type: 'grammar', grammar });
const list = <T>(length: number, make: (i: number) => T): T[] => Array.from({ length }, (_, i) => make(i));
const named = <T>(length: number, make: (i: number) => T) =>
  Object.fromEntries(list(length, (i) => [`n${i}`, make(i)]));

/** Arrays of arrays of … */
function nested(depth: number): JsonSchema {
  let schema: JsonSchema = {};
  for (let i = 0; i < depth; i++) schema = { type: 'array', items: schema };
  return schema;
}

const tooLarge: Readonly<Record<string, Constraint>> = {
  'a million alternatives': { type: 'choice', choices: list(1_000_000, String) },
  'references through thousands of schemas': json({
    $defs: named(3_000, (i) => ({ $ref: `#/$defs/n${(i + 1) % 3_000}` })),
    $ref: '#/$defs/n0',
  }),
  'schemas nested deeply': json(nested(100)),
  'alternatives that multiply': json({
    allOf: list(20, (i) => ({ anyOf: [{ required: [`a${i}`] }, { required: [`b${i}`] }] })),
  }),
  'repetitions that multiply': regex('(a{1000}){1000}'),
  'a pattern with 2^20 states': regex('(a|b)*a(a|b){20}'),
  'long repetitions of anything': regex('(.{0,1000}x){3}'),
  'a pattern with a long length': json({
    type: 'string',
    pattern: '^[a-z]+(-[a-z]+)*$',
    maxLength: 1_000_000,
  }),
  'remainders of a large number': json({ type: 'integer', multipleOf: 999_983 }),
  'counted optional properties': json({
    type: 'object',
    properties: named(3_000, () => true),
    minProperties: 1_500,
  }),
};
for (const [name, constraint] of Object.entries(tooLarge)) {
  test(`${name}: refused as too large`, () => {
    assert.throws(() => compileConstraint(constraint), { code: 'CONSTRAINT_TOO_LARGE' });
  });
}

test('what cannot be written as JSON is refused', () => {
  assert.throws(() => compileConstraint(json(nested(100_000))), { code: 'CONSTRAINT_INVALID' });
});

test('a schema that leads to itself without a value is refused', () => {
  assert.throws(() => compileConstraint(json({ $ref: '#' })), {
    code: 'CONSTRAINT_INVALID',
    message: /\$ref/,
  });
  assert.throws(() => compileConstraint(json({ anyOf: [{ type: 'null' }, { $ref: '#' }] })), {
    code: 'CONSTRAINT_INVALID',
  });
});

const bounded: Readonly<Record<string, Constraint>> = {
  'strings and arrays of a million': json({
    type: 'array',
    items: { type: 'string', maxLength: 1_000_000 },
    maxItems: 1e9,
  }),
  'repetitions of a billion in a grammar': gbnf('root ::= ((("a"{1000}){1000}){1000}){1000}'),
  'an exponentially ambiguous grammar': gbnf('root ::= s\ns ::= "x" s s | "x"'),
  'repetitions of what may be empty': gbnf('root ::= (("x"? "x"?)* ("x"? "x"?)*)* "y"'),
  'a pattern that backtracking dies of': regex('(x+x+)+y'),
};
for (const [name, constraint] of Object.entries(bounded)) {
  test(`${name}: answers go on`, () => {
    const matcher = matcherOf(constraint);
    for (let i = 0; i < 100; i++) {
      const allowed = bitsOf(matcher.mask()).filter((token) => token !== EOS);
      const token = allowed[(i * 7_919) % allowed.length];
      if (token === undefined) break;
      matcher.accept(token);
    }
  });
}

test('a grammar that is read in too many ways at once fails its answer, not the thread', () => {
  const rules = list(3_000, (i) => `r${i} ::= "a" r${(i + 1) % 3_000} "b" | "a"`);
  const root = list(3_000, (i) => `r${i}`).join(' | ');
  const ambiguous = gbnf(`root ::= ${root}\n${rules.join('\n')}`);
  assert.throws(() => matcherOf(ambiguous).mask(), {
    code: 'CONSTRAINT_TOO_LARGE',
    message: /too many ways/,
  });
});
