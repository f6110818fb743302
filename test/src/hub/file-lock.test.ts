import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, writeFileSync } from 'node:fs';
import { hostname, tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { withFileLock } from '../../../src/hub/file-lock.ts';

const newPath = () => join(mkdtempSync(join(tmpdir(), 'troupe-lock-')), 'a', 'lock');

describe('withFileLock', () => {
  it('lets one at a time work', async () => {
    const path = newPath();
    let working = 0;
    const most: number[] = [];
    const work = async () => {
      most.push(++working);
      await new Promise(setImmediate);
      working -= 1;
    };
    await Promise.all(Array.from({ length: 5 }, () => withFileLock(path, {}, work)));
    assert.deepEqual(most, [1, 1, 1, 1, 1]);
  });

  it('leaves nothing behind', async () => {
    const path = newPath();
    await assert.rejects(
      withFileLock(path, {}, () => Promise.reject(new Error('the work failed'))),
      /the work failed/,
    );
    assert.deepEqual(readdirSync(join(path, '..')), []);
  });

  it('says that it waits, and gives up waiting', async () => {
    const path = newPath();
    const release = Promise.withResolvers<void>();
    const holding = withFileLock(path, {}, () => release.promise);
    while (!existsSync(path)) await new Promise(setImmediate);
    const giveUp = new AbortController();
    const waiting = withFileLock(path, { signal: giveUp.signal, onWait: () => giveUp.abort() }, async () => {
      throw new Error('it had no lock');
    });
    await assert.rejects(waiting, { code: 'ABORTED' });
    release.resolve();
    await holding;
  });

  it('takes over at once from a process of this machine that is gone', async () => {
    const path = newPath();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    await withFileLock(path, {}, async () => undefined); // makes the folder
    writeFileSync(path, JSON.stringify({ host: hostname(), pid, token: 'x' }));
    let waited = false;
    await withFileLock(path, { onWait: () => (waited = true) }, async () => undefined);
    assert.equal(waited, false);
  });

  it('does not give back what another has taken over', async () => {
    const path = newPath();
    await withFileLock(path, {}, async () => writeFileSync(path, 'of another'));
    assert(existsSync(path));
  });
});
