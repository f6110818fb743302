import assert from 'node:assert/strict';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, describe, it } from 'node:test';
import { pathToFileURL } from 'node:url';
import { Piscina } from 'piscina';
import { WorkerPool } from '../../actors/worker-pool.ts';

describe('a pool of threads', { timeout: 60_000 }, () => {
  const folders: string[] = [];
  after(async () => {
    for (const folder of folders) await rm(folder, { recursive: true });
  });

  async function poolOf(source: string) {
    const folder = await mkdtemp(join(tmpdir(), 'troupe-pool-'));
    folders.push(folder);
    const module = join(folder, 'worker.mjs');
    await writeFile(module, source);
    const pools: Piscina[] = [];
    const open = () => {
      const pool = new Piscina({ filename: pathToFileURL(module).href, minThreads: 1, maxThreads: 1 });
      pools.push(pool);
      return pool;
    };
    return { module, pools, pool: new WorkerPool(open, 'does jobs') };
  }

  it('takes jobs again once its threads can begin', async () => {
    const { module, pool } = await poolOf('throw new Error("not yet");');
    await assert.rejects(pool.run('job', 1), { code: 'THREAD_FAILED' });
    await writeFile(module, 'export const job = (value) => ({ ok: true, value });');
    assert.equal(await pool.run('job', 2), 2);
    await pool.close();
  });

  it('takes jobs again after a thread has died between two', async () => {
    const { pool, pools } = await poolOf('export const job = (value) => ({ ok: true, value });');
    for (let value = 0; value < 4; value++) {
      assert.equal(await pool.run('job', value), value);
      const [thread] = pools.at(-1)?.threads ?? [];
      await thread?.terminate();
    }
    await pool.close();
  });

  it('fails what a failed pool was to do, and takes the next', async () => {
    const { pool, pools } = await poolOf('export const job = (value) => ({ ok: true, value });');
    assert.equal(await pool.run('job', 1), 1);
    const [failed] = pools;
    const cut = pool.run('job', 2);
    failed?.emit('error', new Error('out of threads'));
    await assert.rejects(cut, { code: 'THREAD_FAILED', message: /out of threads/ });
    assert.equal(await pool.run('job', 3), 3);
    assert.equal(pools.length, 2);
    await pool.close();
  });
});
