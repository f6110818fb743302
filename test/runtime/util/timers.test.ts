import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { after, LONGEST_TIMER_MS, pause, timeoutSignal, timerMs } from '../../../runtime/util/timers.ts';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

describe('timers', () => {
  it('take any number of milliseconds', () => {
    assert.equal(timerMs(3_000_000_000), LONGEST_TIMER_MS);
    assert.equal(timerMs(Number.POSITIVE_INFINITY), LONGEST_TIMER_MS);
    assert.equal(timerMs(-1), 0);
    assert.equal(timerMs(1.5), 1.5);
  });

  for (const ms of [LONGEST_TIMER_MS + 1, 3e9, Number.MAX_SAFE_INTEGER, Number.POSITIVE_INFINITY]) {
    it(`do not fire at once for ${ms} ms`, (t) => {
      t.mock.timers.enable({ apis: ['setTimeout'] });
      let fired = false;
      after(ms, () => {
        fired = true;
      });
      t.mock.timers.tick(LONGEST_TIMER_MS - 1);
      assert.equal(fired, false);
      t.mock.timers.tick(1);
      assert.equal(fired, true);
    });
  }

  it('make signals that do not abort at once', () => {
    for (const ms of [3e9, Number.POSITIVE_INFINITY, 0.5]) assert.equal(timeoutSignal(ms).aborted, false);
  });

  it('make pauses that a signal ends', async () => {
    const abort = new AbortController();
    const paused = pause(Number.POSITIVE_INFINITY, abort.signal);
    abort.abort();
    assert.equal(await paused, false);
    assert.equal(await pause(0), true);
  });

  it('are set nowhere else', () => {
    const files = globSync(['runtime/**/*.ts', 'actors/**/*.ts', 'src/**/*.ts'], { cwd: ROOT });
    const elsewhere = files.filter(
      (file) =>
        file !== join('runtime', 'util', 'timers.ts') &&
        /(?<![.\w])setTimeout\(|AbortSignal\.timeout\(|setTimeout\b.*timers\/promises/.test(
          // What a comment shows as an example sets none.
          readFileSync(join(ROOT, file), 'utf8').replace(/\/\*[\s\S]*?\*\//g, ''),
        ),
    );
    assert.deepEqual(elsewhere, []);
  });
});
