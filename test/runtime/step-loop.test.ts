import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { StepLoop } from '../../runtime/actor/step-loop.ts';

const noCrash = (error: unknown) => assert.fail(String(error));
const turn = () => new Promise((resolve) => setImmediate(resolve));

describe('a step loop', () => {
  it('steps while there is work, with a turn of the event loop before each', async () => {
    const seen: string[] = [];
    let left = 3;
    const loop = new StepLoop(() => {
      seen.push('step');
      setImmediate(() => seen.push('turn'));
      left -= 1;
      return left > 0;
    }, noCrash);
    loop.wake();
    for (let i = 0; i < 10; i++) await turn();
    assert.deepEqual(seen, ['step', 'turn', 'step', 'turn', 'step', 'turn']);
  });

  it('steps again when it is woken during a step that found no work', async () => {
    let steps = 0;
    const loop = new StepLoop(() => {
      steps += 1;
      if (steps === 1) loop.wake();
      return false;
    }, noCrash);
    loop.wake();
    for (let i = 0; i < 5; i++) await turn();
    assert.equal(steps, 2);
  });

  it('ends after the step in progress when it is stopped', async () => {
    const step = Promise.withResolvers<boolean>();
    let steps = 0;
    const loop = new StepLoop(() => {
      steps += 1;
      return step.promise;
    }, noCrash);
    loop.wake();
    await turn();
    const stopped = loop.stop();
    step.resolve(true);
    await stopped;
    await turn();
    assert.equal(steps, 1);
  });

  it('reports what a step throws, and steps no more', async () => {
    const crashes: unknown[] = [];
    const loop = new StepLoop(
      () => {
        throw new Error('broken step');
      },
      (error) => crashes.push(error),
    );
    loop.wake();
    await turn();
    await turn();
    loop.wake();
    await turn();
    assert.deepEqual(crashes.map(String), ['Error: broken step']);
  });
});
