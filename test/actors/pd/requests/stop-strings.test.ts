import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StopStrings } from '../../../../actors/pd/requests/stop-strings.ts';

/** What is shown of a text that comes in these pieces, and what each piece released. */
function shown(stops: readonly string[], pieces: readonly string[]): { text: string; released: string[] } {
  const checker = new StopStrings(stops);
  const released: string[] = [];
  for (const piece of pieces) {
    const { text, stopped } = checker.push(piece);
    released.push(text);
    if (stopped) return { text: released.join(''), released };
  }
  released.push(checker.flush());
  return { text: released.join(''), released };
}

describe('stop strings', () => {
  it('without any, text passes as it comes', () => {
    assert.deepEqual(shown([], ['ab', 'c']).released, ['ab', 'c', '']);
  });

  it('text before one in the middle of a piece is shown, the rest is not', () => {
    assert.equal(shown(['END'], ['one END two']).text, 'one ');
  });

  it('one that spans pieces is never shown in part', () => {
    assert.deepEqual(shown(['\n\nUser:'], ['hi\n', '\nUs', 'er', ': x']).released, ['hi', '', '', '']);
  });

  it('a false beginning is shown once it cannot go on, and only as much of it as cannot', () => {
    assert.deepEqual(shown(['aab'], ['a', 'a', 'a', 'c']).released, ['', '', 'a', 'aac', '']);
  });

  it('a false beginning at the very end is shown at last', () => {
    assert.equal(shown(['stop'], ['please st']).text, 'please st');
  });

  it('the one that is complete first wins, whatever the pieces', () => {
    const text = 'xxabcdyy';
    const stops = ['abcdy', 'bc'];
    const whole = shown(stops, [text]).text;
    assert.equal(whole, 'xxa');
    assert.equal(shown(stops, [...text]).text, whole);
  });

  it('of two that end together, the longer wins', () => {
    assert.equal(shown(['bc', 'abc'], ['xabc']).text, 'x');
  });

  it('empty ones are ignored', () => {
    assert.equal(shown([''], ['ab']).text, 'ab');
  });

  it('any cutting of a text into pieces shows the same', () => {
    const text = 'The cat sat on the mat. ### The cat';
    const stops = ['###', 'mat!', ' on the log'];
    for (let first = 0; first <= text.length; first++) {
      for (let second = first; second <= text.length; second += 5) {
        const pieces = [text.slice(0, first), text.slice(first, second), text.slice(second)];
        assert.equal(shown(stops, pieces).text, 'The cat sat on the mat. ');
      }
    }
  });
});
