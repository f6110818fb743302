import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { numberFlag } from '../../../src/cli/number-flag.ts';

const refused = (message: RegExp) => ({ code: 'INVALID_ARGUMENT', message });

describe('a number flag', () => {
  it('takes numbers as people write them', () => {
    const parse = numberFlag('--temperature', {});
    assert.deepEqual(['1', '0.5', '.5', '1e-3', '-2'].map(parse), [1, 0.5, 0.5, 0.001, -2]);
  });

  it('refuses what only JavaScript takes for a number', () => {
    const parse = numberFlag('--temperature', {});
    for (const text of ['', ' ', '0x10', 'Infinity', 'NaN', '1_000', '1,5', 'one']) {
      assert.throws(() => parse(text), refused(/Give a number\.$/), text);
    }
  });

  it('names flag, value and range when it refuses', () => {
    const parse = numberFlag('--max-tokens', { whole: true, min: 1 });
    const message = '--max-tokens: is not a value it can take ("-1"). Give a whole number of 1 or more.';
    assert.throws(() => parse('-1'), { message });
  });

  it('refuses fractions and numbers that lose digits where whole numbers are wanted', () => {
    const parse = numberFlag('--seed', { whole: true });
    assert.throws(() => parse('1.5'), refused(/a whole number/));
    assert.throws(() => parse('9007199254740993'), refused(/a whole number/));
  });

  it('keeps both ends of a range, and an exclusive lower end out', () => {
    const inclusive = numberFlag('--min-p', { min: 0, max: 1 });
    assert.deepEqual(['0', '1'].map(inclusive), [0, 1]);
    assert.throws(() => inclusive('1.01'), refused(/from 0 to 1/));
    const exclusive = numberFlag('--top-p', { above: 0, max: 1 });
    assert.equal(exclusive('1'), 1);
    assert.throws(() => exclusive('0'), refused(/above 0, up to 1/));
  });
});
