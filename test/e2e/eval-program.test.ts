import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { plainDefaultGolden } from '../support/default-golden.ts';

const run = promisify(execFile);
const one = plainDefaultGolden();

const PROGRAM = `
  import { Troupe } from '${new URL('../../src/index.ts', import.meta.url)}';
  const troupe = await Troupe.start({ shareWeights: 'always' });
  const content = [
    { type: 'image', image: ${JSON.stringify(one.picture)} },
    { type: 'text', text: ${JSON.stringify(one.question)} },
  ];
  const { text } = await troupe.chat({ messages: [{ role: 'user', content }] });
  const { weights } = await troupe.stats();
  await troupe.stop();
  console.log(JSON.stringify({ text, unshared: weights.filter(({ shared }) => !shared) }));
`;

describe('a program behind --eval', () => {
  for (const flags of [['--input-type=module'], ['--input-type', 'module']]) {
    it(`runs its threads and its helper processes: ${flags.join(' ')}`, async () => {
      const folder = await mkdtemp(join(tmpdir(), 'troupe-eval-'));
      try {
        const env = { ...process.env, TROUPE_CACHE_DIR: folder };
        const args = [...flags, '--eval', PROGRAM];
        const { stdout } = await run(process.execPath, args, { env, timeout: 120_000 });
        const { text, unshared } = JSON.parse(stdout);
        assert.equal(text, one.greedy.trim());
        assert.deepEqual(unshared, []);
      } finally {
        await rm(folder, { recursive: true });
      }
    });
  }
});
