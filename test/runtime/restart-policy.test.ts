import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import {
  DEFAULT_RESTART_POLICY,
  RestartIntensity,
  type RestartPolicy,
} from '../../runtime/supervision/restart-policy.ts';
import { groupSpec } from '../../runtime/system/group-spec.ts';

const policy = { maxRestarts: 3, windowMs: 1_000, minBackoffMs: 10, maxBackoffMs: 30 };

describe('restart intensity', () => {
  it('pauses longer after each crash, up to the cap', () => {
    const intensity = new RestartIntensity(policy);
    const pauses = [0, 1, 2].map((at) => intensity.recordCrash(at) ?? Number.NaN);
    for (const [index, nominal] of [10, 20, 30].entries()) {
      const pause = pauses[index] ?? Number.NaN;
      assert(pause > nominal * 0.79 && pause <= nominal, `${pause} for ${nominal}`);
    }
  });

  it('gives up at one crash more than the window allows', () => {
    const intensity = new RestartIntensity(policy);
    for (const at of [0, 1, 2]) assert.notEqual(intensity.recordCrash(at), undefined);
    assert.equal(intensity.recordCrash(3), undefined);
  });

  it('forgets crashes that are older than the window', () => {
    const intensity = new RestartIntensity(policy);
    for (const at of [0, 1, 2]) intensity.recordCrash(at);
    assert.notEqual(intensity.recordCrash(1_000), undefined);
  });

  it('has its defaults where undefined is given', () => {
    const restart = {
      maxRestarts: undefined,
      windowMs: undefined,
      minBackoffMs: 7,
    } as unknown as Partial<RestartPolicy>;
    const spec = groupSpec({ name: 'pool', restart }, 'thread');
    assert.deepEqual(spec.restart, { ...DEFAULT_RESTART_POLICY, minBackoffMs: 7 });
  });

  it('does not count a crash that was forgiven', () => {
    const intensity = new RestartIntensity(policy);
    for (const at of [0, 1, 2, 3, 4, 5]) {
      assert.notEqual(intensity.recordCrash(at), undefined);
      intensity.forgive();
    }
  });
});
