import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readdir, readFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { readConversations } from '../../scripts/demo/conversations.ts';

const ROOT = fileURLToPath(new URL('../../', import.meta.url));
const run = promisify(execFile);

async function runScript(path: string, ...args: string[]): Promise<string> {
  const { stdout, stderr } = await run(process.execPath, [path, ...args], { cwd: ROOT, timeout: 60_000 });
  assert.equal(stderr, '');
  return stdout;
}

describe('the examples', () => {
  it('describe an image and answer a follow-up question', async () => {
    const output = await runScript('examples/describe-image.ts');
    assert.match(output, /a small blue ring at the top right.*\n ?Tan\.\n/);
    assert.match(output, /81 of them image/);
  });

  it('stream an answer, leave one, abort one', async () => {
    const output = await runScript('examples/stream-and-abort.ts');
    assert.match(output, /a small purple cross at the bottom left\.\n\d+ tokens/);
    assert.match(output, /… stopped\n.*aborted/);
  });

  it('make a typed object of an image', async () => {
    const output = await runScript('examples/structured-output.ts');
    assert.match(
      output,
      /^\{"color":"(red|green|blue|purple)","shapes":\d,"background":\{"dark":(true|false)\}\}\n\d+ tokens/,
    );
  });

  it('run a tool that the model calls', async () => {
    assert.match(await runScript('examples/tools.ts'), /^stock\((red\) = 3|green\) = 0|blue\) = 12)\n/);
  });

  it('count words with actors, over a crash', async () => {
    const output = await runScript('examples/actors-without-models.ts');
    const counts = output.split('\n').filter((line) => line.startsWith('122 words'));
    assert.equal(counts.length, 2);
    assert.equal(counts[0], counts[1]);
    assert.match(output, /counter\/0 restarts \(attempt 1\)/);
    assert.match(output, /counter\/0 up, 1 restarts/);
  });
});

describe('the demo', () => {
  it('asks about every picture there is', async () => {
    const asked = new Set((await readConversations()).flatMap(({ pictures }) => pictures));
    const pictures = (await readdir(new URL('../../examples/', import.meta.url))).filter((name) =>
      /\.(png|jpg)$/.test(name),
    );
    assert.deepEqual([...asked].sort(), pictures.sort());
  });

  it('prints with --json the answers and figures of both modes, which answer alike', async () => {
    const { aggregated, disaggregated } = JSON.parse(await runScript('scripts/demo.ts', '--json'));
    const textsOf = (mode: { answers: { text: string }[] }) => mode.answers.map(({ text }) => text);
    assert.deepEqual(textsOf(aggregated), textsOf(disaggregated));
    assert.equal(aggregated.bytesBetweenActors.embeddings.moved, 0);
    assert(disaggregated.bytesBetweenActors.embeddings.moved > 0);
    assert.equal(disaggregated.bytesBetweenActors.embeddings.copied, 0);
    for (const { concurrent } of [aggregated, disaggregated]) {
      assert.equal(concurrent.inFlight, 16);
      assert.deepEqual(Object.keys(concurrent.eventLoopDelay), ['p50', 'p99', 'max']);
    }
  });

  it('shows picture, question and answer, and compares the modes', async () => {
    const output = await runScript('scripts/demo.ts');
    assert.match(output, /open-sign\.png\n {2}What does it say\?\n {2}It says "Open Daily"\.\n/);
    assert.match(output, /tokens a second, 16 requests at once/);
    assert.match(output, /The answers of the modes are the same\./);
  });

  it('is what the README shows', async () => {
    const readme = await readFile(new URL('../../README.md', import.meta.url), 'utf8');
    const shown = [...readme.matchAll(/examples\/[\w-]+\.(?:png|jpg|ts)/g)].map(([path]) => path);
    const present = new Set(
      (await readdir(new URL('../../examples/', import.meta.url))).map((name) => `examples/${name}`),
    );
    assert.deepEqual(
      shown.filter((path) => !present.has(path)),
      [],
    );
  });
});
