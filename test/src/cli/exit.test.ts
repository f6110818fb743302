import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError, ModelError } from '../../../actors/errors.ts';
import { TroupeError } from '../../../runtime/errors.ts';
import { errorLine, exitCodeOf } from '../../../src/cli/exit.ts';

describe('how a command ends', () => {
  it('with 2 when the caller has to change something', () => {
    const input = new InputError('SOME_INPUT', 'is wrong', { field: 'f', value: 1, remedy: 'Change it.' });
    const model = new ModelError('SOME_MODEL', 'Is wrong', { path: '/m', remedy: 'Change it.' });
    assert.deepEqual([input, model].map(exitCodeOf), [2, 2]);
  });

  it('with 1 otherwise', () => {
    const failure = new TroupeError('lost', { code: 'ACTOR_DIED' });
    assert.deepEqual([failure, new Error('?'), 'text'].map(exitCodeOf), [1, 1, 1]);
  });

  it('with one line, whatever the message holds', () => {
    const error = new TroupeError('first\nsecond\u001b[31m\r', { code: 'SOME_CODE' });
    assert.equal(errorLine(error), 'troupe: first second [31m [SOME_CODE]');
  });

  it('with a code for errors that have none', () => {
    assert.equal(errorLine(new Error('oh')), 'troupe: oh [UNEXPECTED]');
  });
});
