import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { GraphPool } from '../../../src/inspect/graph-pool.ts';

const worker = (name: string) => new URL(`./workers/${name}.ts`, import.meta.url).href;

describe('the threads that read graph files', { timeout: 60_000 }, () => {
  it('that cannot begin fail every job, and keep nobody waiting', async () => {
    const pool = await GraphPool.open(worker('cannot-begin'));
    const jobs = [1, 2, 3, 4].map((n) => pool.run('readSignature', `${n}.onnx`));
    // Each thread fails when it does: all of them are listened to.
    const refusals = jobs.map((job) =>
      assert.rejects(job, (error: Error) => {
        assert.equal(Reflect.get(error, 'code'), 'THREAD_FAILED');
        assert.match(error.message, /a part of it is missing/);
        return true;
      }),
    );
    await Promise.all(refusals);
    await assert.rejects(pool.run('readSignature', 'late.onnx'), { code: 'THREAD_FAILED' });
    await pool.close();
  });

  it('whose packages were left behind, as a bundler does, say so', async () => {
    const pool = await GraphPool.open(worker('misses-a-package'));
    await assert.rejects(pool.run('readSignature', 'x.onnx'), {
      code: 'BUNDLED',
      message: /serverExternalPackages/,
    });
    await pool.close();
  });

  it('fail a job with what it threw, and take the next', async () => {
    const pool = await GraphPool.open();
    await assert.rejects(pool.run('readSignature', '/no/such.onnx'), { name: 'ModelError' });
    await assert.rejects(pool.run('readSignature', '/no/other.onnx'), { name: 'ModelError' });
    await pool.close();
  });
});
