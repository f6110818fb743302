import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../../actors/errors.ts';
import { validateMessages } from '../../../actors/processor/validate-messages.ts';
import { validateTools } from '../../../actors/tools/validate-tools.ts';

const USER = { role: 'user', content: 'Hi' };
const call = (id: unknown, given: unknown = '{}') => ({ id, name: 'f', arguments: given });
const asked = (...toolCalls: unknown[]) => ({ role: 'assistant', content: '', toolCalls });
const result = (toolCallId: unknown) => ({ role: 'tool', toolCallId, content: 'x' });

const fieldOf = (check: () => unknown, code: string): unknown => {
  try {
    check();
  } catch (error) {
    assert(error instanceof InputError);
    assert.equal(error.code, code);
    return error.details.field;
  }
  return undefined;
};

describe('calls and results in a conversation', () => {
  const REFUSED: readonly (readonly [what: string, messages: readonly unknown[], field: string])[] = [
    ['a result without a call', [USER, result('a')], 'messages[1].toolCallId'],
    ['a result without an id', [asked(call('a')), { role: 'tool', content: '' }], 'messages[1].toolCallId'],
    ['a result of another call', [asked(call('a')), result('b')], 'messages[1].toolCallId'],
    ['two results of a call', [asked(call('a')), result('a'), result('a')], 'messages[2].toolCallId'],
    ['a call without a result', [asked(call('a'), call('b')), result('a'), USER], 'messages[0].toolCalls[1]'],
    ['a call without a result at the end', [USER, asked(call('a'))], 'messages[1].toolCalls[0]'],
    ['two calls of an id', [asked(call('a'), call('a')), result('a')], 'messages[0].toolCalls[1].id'],
    ['a call without an id', [asked(call(''))], 'messages[0].toolCalls[0].id'],
    ['arguments that are no JSON', [asked(call('a', '{'))], 'messages[0].toolCalls[0].arguments'],
    ['arguments that are no object', [asked(call('a', '[]'))], 'messages[0].toolCalls[0].arguments'],
    ['calls of a user', [{ ...USER, toolCalls: [call('a')] }], 'messages[0].toolCalls'],
    ['calls that are no list', [{ role: 'assistant', content: '', toolCalls: 7 }], 'messages[0].toolCalls'],
  ];
  for (const [what, messages, field] of REFUSED) {
    it(`refuses ${what}`, () => {
      assert.equal(
        fieldOf(() => validateMessages(messages), 'INVALID_TOOL_MESSAGES'),
        field,
      );
    });
  }
  it('takes results in any order, and the same ids again later', () => {
    const round = [asked(call('a', ''), call('b')), result('b'), result('a')];
    assert.deepEqual(validateMessages([USER, ...round, ...round, USER]), []);
  });
  it('refuses an image in a result', () => {
    const image = { role: 'tool', toolCallId: 'a', content: [{ type: 'image', image: 'a.png' }] };
    const field = fieldOf(() => validateMessages([asked(call('a')), image]), 'INVALID_CONTENT');
    assert.equal(field, 'messages[1].content[0].type');
  });
});

describe('tools of a request', () => {
  const REFUSED: readonly (readonly [what: string, options: object, field: string])[] = [
    ['no list', { tools: {} }, 'tools'],
    ['129 of them', { tools: Array.from({ length: 129 }, (_, i) => ({ name: `f${i}` })) }, 'tools'],
    ['a name with a space', { tools: [{ name: 'a b' }] }, 'tools[0].name'],
    ['a name that comes twice', { tools: [{ name: 'a' }, { name: 'a' }] }, 'tools[1].name'],
    ['a description that is none', { tools: [{ name: 'a', description: 1 }] }, 'tools[0].description'],
    [
      'parameters that are no object',
      { tools: [{ name: 'a', parameters: { type: 'string' } }] },
      'tools[0].parameters',
    ],
    ['required without tools', { toolChoice: 'required' }, 'toolChoice'],
    ['another choice', { tools: [{ name: 'a' }], toolChoice: 'any' }, 'toolChoice'],
    ['a name of no tool', { tools: [{ name: 'a' }], toolChoice: { name: 'b' } }, 'toolChoice.name'],
    ['parallel as a text', { parallelToolCalls: 'no' }, 'parallelToolCalls'],
  ];
  for (const [what, options, field] of REFUSED) {
    it(`refuses ${what}`, () => {
      assert.equal(
        fieldOf(() => validateTools(options), 'INVALID_TOOLS'),
        field,
      );
    });
  }
});
