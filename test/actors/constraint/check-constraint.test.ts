import assert from 'node:assert/strict';
import { test } from 'node:test';
import { checkConstraint } from '../../../actors/constraint/check-constraint.ts';
import type { Constraint } from '../../../actors/constraint/constraint.ts';
import { code } from '../model/support/model-fixture.ts';

const right: readonly Constraint[] = [
  { type: 'json_schema', schema: true },
  { type: 'json_object' },
  { type: 'regex', pattern: '' },
  { type: 'choice', choices: [''] },
  { type: 'grammar', grammar: 'root ::= "a"' },
  {
    type: 'tagged',
    tags: [{ begin: '<a>', content: { type: 'regex', pattern: 'b' }, end: '</a>' }],
    required: true,
    maxTags: 2,
  },
];

for (const constraint of right) {
  test(`${JSON.stringify(constraint)} is a constraint`, () => checkConstraint(constraint, 'constraint'));
}

const tag = { begin: 'a', content: { type: 'regex', pattern: 'b' }, end: 'c' };
const wrong: readonly (readonly [unknown, string])[] = [
  [null, 'constraint'],
  [undefined, 'constraint'],
  ['regex', 'constraint'],
  [[], 'constraint'],
  [{}, 'constraint.type'],
  [{ type: 'toString' }, 'constraint.type'],
  [{ type: 'regex' }, 'constraint.pattern'],
  [{ type: 'regex', pattern: 5 }, 'constraint.pattern'],
  [{ type: 'regex', pattern: 'a', flags: 'i' }, 'constraint.flags'],
  [{ type: 'json_object', schema: {} }, 'constraint.schema'],
  [{ type: 'choice', choices: [] }, 'constraint.choices'],
  [{ type: 'choice', choices: ['a', 1] }, 'constraint.choices'],
  [{ type: 'grammar', grammar: null }, 'constraint.grammar'],
  [{ type: 'tagged', tags: [] }, 'constraint.tags'],
  [{ type: 'tagged', tags: [7] }, 'constraint.tags[0]'],
  [{ type: 'tagged', tags: [{ ...tag, end: 1 }] }, 'constraint.tags[0].end'],
  [
    { type: 'tagged', tags: [tag, { ...tag, content: { type: 'tagged' } }] },
    'constraint.tags[1].content.type',
  ],
  [{ type: 'tagged', tags: [{ ...tag, content: { type: 'regex' } }] }, 'constraint.tags[0].content.pattern'],
  [{ type: 'tagged', tags: [tag], required: 1 }, 'constraint.required'],
  [{ type: 'tagged', tags: [tag], maxTags: 0 }, 'constraint.maxTags'],
];

for (const [constraint, field] of wrong) {
  test(`${JSON.stringify(constraint) ?? 'nothing'} is refused at ${field}`, () => {
    assert.throws(
      () => checkConstraint(constraint, 'constraint'),
      (error) =>
        code('CONSTRAINT_INVALID')(error) && error instanceof Error && error.message.startsWith(`${field}: `),
    );
  });
}
