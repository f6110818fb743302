import assert from 'node:assert/strict';
import { it } from 'node:test';
import { offsetBetween } from '../../runtime/clock.ts';

it('the offset between two clocks is taken where nothing came between the readings', () => {
  let now = 0;
  let reading = 0;
  const near = () => now;
  const far = () => {
    reading += 1;
    const read = now + 1000;
    // The thread is put aside after all readings but one.
    now += reading === 3 ? 0.25 : 40;
    return read;
  };
  assert.equal(offsetBetween(near, far), 1000 - 0.125);
});
