import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fairShare } from '../../../actors/encoder/fair-share.ts';

/** Other work of the thread: a step for each turn of the event loop, 1 ms each by the clock of the test. */
class Steps {
  taken = 0;
  left: number;
  constructor(left: number) {
    this.left = left;
    this.#next();
  }

  #next(): void {
    setImmediate(() => {
      if (this.left === 0) return;
      this.left -= 1;
      this.taken += 1;
      this.#next();
    });
  }
}

describe('the pause between two runs of the vision graph', () => {
  it('is as long as the last run took, while others have work', async () => {
    const steps = new Steps(100);
    await fairShare(
      5,
      () => steps.left > 0,
      () => steps.taken,
    );
    assert.equal(steps.taken, 5);
    steps.left = 0;
  });

  it('ends when others have no more work', async () => {
    const steps = new Steps(3);
    await fairShare(
      1_000,
      () => steps.left > 0,
      () => steps.taken,
    );
    assert.equal(steps.taken, 3);
  });

  it('is one turn of the event loop when nobody has work, so that messages are heard', async () => {
    let heard = false;
    setImmediate(() => {
      heard = true;
    });
    await fairShare(1_000, () => false);
    assert.equal(heard, true);
  });
});
