/** Nothing is sent anywhere and nothing is left behind, by a program and by the server. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cp, mkdir, mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join, sep } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { DEFAULT_MODEL_DIRECTORY } from '../../src/default-model.ts';
import { plainDefaultGolden } from '../support/default-golden.ts';
import { readTrace, traced, whyNoTrace } from './support/system-calls.ts';

const run = promisify(execFile);
const TIMEOUT_MS = 120_000;
const described = plainDefaultGolden();
const LOOPBACK = /^(127\.|::1$)/;

const SUBJECTS = [
  { name: 'a program', script: 'five-chats.ts' },
  { name: 'a program on a worker thread', script: 'five-chats-on-a-worker.ts' },
  { name: 'troupe serve', script: 'five-requests.ts' },
] as const;

for (const { name, script } of SUBJECTS) {
  describe(`${name}: start, five chats, stop`, { timeout: TIMEOUT_MS }, () => {
    let folder: string;
    let model: string;

    before(async () => {
      folder = await mkdtemp(join(tmpdir(), 'troupe-privacy-'));
      model = join(folder, 'model');
      const cache = join(DEFAULT_MODEL_DIRECTORY, '.troupe-cache');
      await cp(DEFAULT_MODEL_DIRECTORY, model, { recursive: true, filter: (path) => path !== cache });
      await writeFile(join(folder, 'no-folder'), '');
    });
    after(() => rm(folder, { recursive: true, force: true }));

    /**
     * In empty folders, with next to no environment: that of a CI system turns telemetry off by itself.
     * @returns what was left in the working folder, in the home folder and among temporary files
     */
    async function leftBehind(home: 'home' | 'no-folder', trace?: string): Promise<string[]> {
      for (const empty of ['cwd', 'home', 'tmp']) {
        await rm(join(folder, empty), { recursive: true, force: true });
        await mkdir(join(folder, empty));
      }
      const program = fileURLToPath(new URL(`support/${script}`, import.meta.url));
      const command = [process.execPath, program, model, described.picture, described.question];
      const [file = '', ...args] = trace === undefined ? command : traced(trace, command);
      const { stdout } = await run(file, args, {
        cwd: join(folder, 'cwd'),
        env: { PATH: process.env.PATH ?? '', HOME: join(folder, home), TMPDIR: join(folder, 'tmp') },
        timeout: TIMEOUT_MS,
      });
      assert.deepEqual(stdout.trim().split('\n'), Array(5).fill(described.greedy.trim()));
      const found = await Promise.all(
        ['cwd', 'home', 'tmp'].map((empty) => readdir(join(folder, empty), { recursive: true })),
      );
      return found.flat();
    }

    it('leaves nothing in the home folder, the working folder and among temporary files', async () => {
      assert.deepEqual(await leftBehind('home'), []);
    });

    it('leaves nothing there either where the home folder cannot be written', async () => {
      assert.deepEqual(await leftBehind('no-folder'), []);
    });

    it('speaks to this machine only, and creates nothing but its cache', { skip: whyNoTrace() }, async () => {
      const trace = join(folder, 'trace');
      await rm(join(model, '.troupe-cache'), { recursive: true, force: true });
      assert.deepEqual(await leftBehind('home', trace), []);
      const { created, sockets, addresses } = readTrace(trace, join(folder, 'cwd'));
      assert.deepEqual(
        addresses.filter((address) => !LOOPBACK.test(address)),
        [],
      );
      if (name !== 'troupe serve') assert.deepEqual(sockets, []);
      else assert(addresses.length > 0, 'the server and its client spoke to each other');
      const cache = join(model, '.troupe-cache');
      assert(created.length > 0, 'the cache was made');
      assert.deepEqual(
        created.filter((path) => path !== cache && !path.startsWith(cache + sep)),
        [],
      );
    });
  });
}
