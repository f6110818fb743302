import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StopChecker, type StopRules } from '../../../../actors/pd/requests/stop-checker.ts';

const EOS = 99;

/** Token n reads as the n-th letter; 50 is half a character, 51 its other half. */
function checker(rules: Partial<StopRules> = {}): StopChecker {
  let pending = '';
  const push = (id: number): string => {
    if (id === 50) {
      pending = '\uFFFD';
      return '';
    }
    pending = '';
    return id === 51 ? 'é' : String.fromCharCode(97 + id);
  };
  const detokenizer = { push, flush: () => pending };
  return new StopChecker({ eosTokenIds: [EOS], stop: [], maxTokens: 100, ...rules }, detokenizer);
}

describe('when a generation ends', () => {
  it('goes on at an ordinary token', () => {
    assert.deepEqual(checker().push(0), { text: 'a', counted: true, finished: undefined });
  });

  it('an end-of-sequence token ends it, uncounted, and frees held-back text', () => {
    const stops = checker({ stop: ['abc'] });
    stops.push(0);
    assert.deepEqual(stops.push(EOS), { text: 'a', counted: false, finished: 'stop' });
    assert.equal(stops.generated, 1);
  });

  it('a token limit ends it with the last token, for length', () => {
    const stops = checker({ maxTokens: 2 });
    stops.push(0);
    assert.deepEqual(stops.push(1), { text: 'b', counted: true, finished: 'length' });
  });

  it('a limit in the middle of a character shows that something is missing', () => {
    assert.deepEqual(checker({ maxTokens: 1 }).push(50), {
      text: '\uFFFD',
      counted: true,
      finished: 'length',
    });
  });

  it('an end token right after the limit was not reached is a stop, not a length', () => {
    const stops = checker({ maxTokens: 2 });
    stops.push(0);
    assert.equal(stops.push(EOS).finished, 'stop');
  });

  it('a stop string that the last allowed token completes is a stop', () => {
    const stops = checker({ maxTokens: 2, stop: ['ab'] });
    stops.push(0);
    assert.deepEqual(stops.push(1), { text: '', counted: true, finished: 'stop', stopString: 'ab' });
  });

  it('a stop string that the flushed remainder completes is a stop', () => {
    const stops = checker({ maxTokens: 2, stop: ['a\uFFFD'] });
    stops.push(0);
    const ended = { text: '', counted: true, finished: 'stop', stopString: 'a\uFFFD' };
    assert.deepEqual(stops.push(50), ended);
  });
});
