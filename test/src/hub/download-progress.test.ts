import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type DownloadProgress, ProgressMeter, progressLine } from '../../../src/hub/download-progress.ts';

function meter(totalBytes: number) {
  const told: DownloadProgress[] = [];
  const clock = { ms: 0 };
  const progress = new ProgressMeter(
    totalBytes,
    (one) => told.push(one),
    () => clock.ms,
  );
  return { told, clock, progress };
}

describe('ProgressMeter', () => {
  it('takes the rate over what came, and not over what was there', () => {
    const { told, clock, progress } = meter(10_000);
    progress.found(4_000);
    clock.ms = 1_000;
    progress.came(2_000);
    const last = { receivedBytes: 6_000, totalBytes: 10_000, bytesPerSecond: 2_000, remainingSeconds: 2 };
    assert.deepEqual(told.at(-1), last);
  });

  it('forgets a rate of long ago', () => {
    const { told, clock, progress } = meter(1e9);
    for (let second = 1; second <= 30; second++) {
      clock.ms = second * 1_000;
      progress.came(second <= 15 ? 1_000_000 : 1_000);
    }
    assert.equal(told.at(-1)?.bytesPerSecond, 1_000);
  });

  it('tells a few times a second, and of the end always', () => {
    const { told, clock, progress } = meter(1_000);
    for (let i = 0; i < 1_000; i++) {
      clock.ms = i;
      progress.came(1);
    }
    progress.done();
    assert.equal(told.length, 11);
    assert.equal(told.at(-1)?.receivedBytes, 1_000);
  });
});

describe('progressLine', () => {
  it('says how much, how fast and how long', () => {
    const progress = { receivedBytes: 12e6, totalBytes: 2.5e9, bytesPerSecond: 4.2e6, remainingSeconds: 593 };
    assert.equal(progressLine(progress), '12.0 MB of 2.50 GB, 4.2 MB/s, 10 min left');
  });

  it('leaves out what is not known', () => {
    assert.equal(progressLine({ receivedBytes: 0, totalBytes: 5e5, bytesPerSecond: 0 }), '0.0 MB of 0.5 MB');
  });
});
