import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { fairShare, type OtherWork } from '../../../actors/encoder/fair-share.ts';

/** Other work of the thread: a step for each turn of the event loop, 1 ms each by the clock of the test. */
class Steps {
  taken = 0;
  left: number;
  constructor(left: number) {
    this.left = left;
    this.#next();
  }

  /** Until nothing is left of it. */
  of(kind: keyof OtherWork): OtherWork {
    const goesOn = () => this.left > 0;
    return { answers: () => false, prompts: () => false, [kind]: goesOn };
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

/** Steps that are taken in the pause behind a run of so many ms. */
async function pause(runMs: number, steps: Steps, kind: keyof OtherWork): Promise<number> {
  await fairShare(runMs, steps.of(kind), () => steps.taken);
  const { taken } = steps;
  steps.left = 0;
  return taken;
}

describe('the pause between two runs of the vision graph', () => {
  it('is as long as the last run held up answers for longer than is noticed', async () => {
    assert.equal(await pause(30, new Steps(100), 'answers'), 5);
  });

  it('is one step of answers behind a run that nobody notices', async () => {
    assert.equal(await pause(20, new Steps(100), 'answers'), 1);
  });

  it('lasts until prompts have their first tokens', async () => {
    assert.equal(await pause(20, new Steps(40), 'prompts'), 40);
  });

  it('leaves prompts no more time than the last run took', async () => {
    assert.equal(await pause(80, new Steps(100), 'prompts'), 80);
  });

  it('ends when answers have no more work', async () => {
    assert.equal(await pause(1_000, new Steps(3), 'answers'), 3);
  });

  it('is one turn of the event loop when nobody has work, so that messages are heard', async () => {
    let heard = false;
    setImmediate(() => {
      heard = true;
    });
    await fairShare(1_000, { answers: () => false, prompts: () => false });
    assert.equal(heard, true);
  });
});
