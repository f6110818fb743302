import assert from 'node:assert/strict';
import { test } from 'node:test';
import { compileConstraint } from '../../../actors/constraint/compile-constraint.ts';
import type { JsonSchema } from '../../../actors/constraint/constraint.ts';

const cases: readonly (readonly [JsonSchema, string, string])[] = [
  [{ properties: { a: { not: {} } } }, 'CONSTRAINT_UNSUPPORTED', '#/properties/a/not'],
  [{ items: { uniqueItems: true } }, 'CONSTRAINT_UNSUPPORTED', '#/items/uniqueItems'],
  [{ uniqueItems: true, items: { type: ['boolean', 'integer'] } }, 'CONSTRAINT_UNSUPPORTED', '#/uniqueItems'],
  [{ uniqueItems: 1 }, 'CONSTRAINT_INVALID', '#/uniqueItems'],
  [{ type: 'array', uniqueItems: true, items: { enum: [1, 1.0, 2] }, minItems: 3 }, 'CONSTRAINT_INVALID', ''],
  [{ if: true }, 'CONSTRAINT_UNSUPPORTED', '#/if'],
  [{ 'a/b': 1 }, 'CONSTRAINT_UNSUPPORTED', '#/a~1b'],
  [{ maxLenght: 3 }, 'CONSTRAINT_UNSUPPORTED', '#/maxLenght'],
  [{ $ref: 'https://example.com/other' }, 'CONSTRAINT_UNSUPPORTED', '#/$ref'],
  [{ $ref: '#/$defs/none' }, 'CONSTRAINT_INVALID', '#/$ref'],
  [{ type: 'text' }, 'CONSTRAINT_INVALID', '#/type'],
  [{ minLength: -1 }, 'CONSTRAINT_INVALID', '#/minLength'],
  [{ properties: { a: 3 } }, 'CONSTRAINT_INVALID', '#/properties/a'],
  [{ pattern: '(' }, 'CONSTRAINT_INVALID', '#/pattern'],
  [{ pattern: '(a)\\1' }, 'CONSTRAINT_UNSUPPORTED', '#/pattern'],
  [{ pattern: 'a\\b' }, 'CONSTRAINT_UNSUPPORTED', '#/pattern'],
  [{ pattern: '(?<=a)b' }, 'CONSTRAINT_UNSUPPORTED', '#/pattern'],
  [{ format: 'colour' }, 'CONSTRAINT_UNSUPPORTED', '#/format'],
  [{ type: 'number', multipleOf: 0.01 }, 'CONSTRAINT_UNSUPPORTED', '#/multipleOf'],
  [{ oneOf: [{ type: 'string' }, { minLength: 2 }] }, 'CONSTRAINT_UNSUPPORTED', '#/oneOf'],
  [{ type: 'object', minProperties: 2 }, 'CONSTRAINT_UNSUPPORTED', '#/minProperties'],
  [{ type: 'string', minLength: 3, maxLength: 2 }, 'CONSTRAINT_INVALID', ''],
  [{ allOf: [{ type: 'string' }, { type: 'null' }] }, 'CONSTRAINT_INVALID', ''],
];
for (const [schema, code, place] of cases) {
  test(`${JSON.stringify(schema)}: ${code} at ${place || 'the whole'}`, () => {
    const field = place === '' ? /^constraint/ : `constraint.schema${place}`;
    assert.throws(
      () => compileConstraint({ type: 'json_schema', schema }),
      (error: unknown) => {
        const { details, ...facts } = Object(error);
        assert.equal(facts.code ?? Object(error).code, code);
        if (typeof field === 'string') assert.equal(details.field, field);
        else assert.match(details.field, field);
        return true;
      },
    );
  });
}
