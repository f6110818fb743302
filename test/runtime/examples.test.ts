import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import process from 'node:process';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const ROOT = new URL('../../', import.meta.url);

async function run(program: string): Promise<string[]> {
  const path = `examples/actors/${program}`;
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [path], {
    cwd: fileURLToPath(ROOT),
  });
  assert.equal(stderr, '');
  return stdout.trimEnd().split('\n');
}

describe('the programs of the guide', () => {
  it('hash in parallel, and leave what nobody wants any more', async () => {
    const [first, same, other, left] = (await run('hash.ts')).map((line) => line.slice(2));
    assert.match(first ?? '', /^[0-9a-f]{24}$/);
    assert.equal(same, first);
    assert.notEqual(other, first);
    assert.match(left ?? '', /^left after/);
  });

  it('answer a reader from the end of a pipeline', async () => {
    assert.deepEqual(await run('pipeline.ts'), ['ONE!', 'TWO!', 'THREE!', '3 lines']);
  });

  it('count in shards, each key in one of them', async () => {
    const lines = await run('sharded-counter.ts');
    assert.equal(lines.filter((line) => line.endsWith(' 1000')).length, 6);
    assert.equal(lines.at(-1), 'each key in one shard: true');
  });

  it('go on after a worker has died of its job', async () => {
    const lines = await run('flaky-worker.ts');
    const done = [0, 1, 3, 4, 6, 7].map((number) => `job ${number} done`);
    assert.deepEqual(
      lines.filter((line) => line.startsWith('job')),
      done,
    );
    assert.equal(lines.filter((line) => line === 'ACTOR_DIED (it had begun)').length, 3);
    assert.match(lines.at(-1) ?? '', /^[23] restarts$/); // after the last death it may still pause
  });

  it('move memory there and back', async () => {
    assert.deepEqual(await run('move-memory.ts'), [
      '67108864 bytes came back, 0 are left here',
      'inverted: true',
    ]);
  });

  it('are all in the guide', async () => {
    const guide = await readFile(new URL('docs/runtime.md', ROOT), 'utf8');
    const files = await readdir(new URL('examples/actors/', ROOT));
    const programs = files.filter((name) => !name.endsWith('-actor.ts') && name !== 'protocols.ts');
    assert.deepEqual(
      programs.filter((name) => !guide.includes(`../examples/actors/${name}`)),
      [],
    );
  });
});
