import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConstraint } from '../../../actors/constraint/check-constraint.ts';

const cases: readonly (readonly [unknown, string])[] = [
  [null, 'constraint'],
  ['json', 'constraint'],
  [{ type: 'xml' }, 'constraint.type'],
  [{ type: 'json_schema' }, 'constraint.schema'],
  [{ type: 'json_schema', schema: [] }, 'constraint.schema'],
  [{ type: 'regex', pattern: /a/ }, 'constraint.pattern'],
  [{ type: 'choice', choices: [] }, 'constraint.choices'],
  [{ type: 'choice', choices: ['a', 1] }, 'constraint.choices[1]'],
  [{ type: 'json_object', schema: {} }, 'constraint'],
  [
    { type: 'tagged', tags: [{ begin: 'a', content: { type: 'choice', choices: ['a'] }, end: '' }] },
    'constraint.tags[0].content.type',
  ],
  [
    { type: 'tagged', tags: [{ begin: 'a', content: { type: 'regex', pattern: 'a' }, end: '' }], maxTags: 0 },
    'constraint.maxTags',
  ],
];
for (const [value, field] of cases) {
  test(`${JSON.stringify(value)} is no constraint: ${field}`, () => {
    assert.throws(
      () => checkConstraint(value, 'constraint'),
      (error: unknown) => {
        assert.deepEqual([Object(error).code, Object(error).details.field], ['CONSTRAINT_INVALID', field]);
        return true;
      },
    );
  });
}
