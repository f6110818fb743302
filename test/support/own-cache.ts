/** The graph cache in a folder of the test's own, gone with it. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { TestContext } from 'node:test';

export interface OwnCache {
  /** For whatever else the test writes. */
  readonly folder: string;
  /** Made when the first entry is. */
  readonly cache: string;
}

/** To be called one test at a time: the variable belongs to the process. */
export async function ownCache(t: TestContext): Promise<OwnCache> {
  const folder = await mkdtemp(join(tmpdir(), 'troupe-cache-'));
  const before = process.env.TROUPE_CACHE_DIR;
  const cache = join(folder, 'cache');
  process.env.TROUPE_CACHE_DIR = cache;
  t.after(async () => {
    if (before === undefined) delete process.env.TROUPE_CACHE_DIR;
    else process.env.TROUPE_CACHE_DIR = before;
    await rm(folder, { recursive: true, force: true });
  });
  return { folder, cache };
}
