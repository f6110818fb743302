import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { describe, it } from 'node:test';
import { engineSchema } from '../../src/config/engine-schema.ts';
import { settingsOf } from '../../src/config/setting.ts';
import { MODES } from '../../src/index.ts';
import { described, pictureBytes, picturePath } from '../src/cli/support/pictures.ts';
import { ENDLESS, ended, runCli, startCli } from '../src/cli/support/run-cli.ts';
import { golden, goldenImage } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

const ANSWER = `${described.greedy.trim()}\n`;

describe('troupe ask', () => {
  for (const mode of MODES) {
    it(`answers a question about a file in ${mode} mode`, async () => {
      const result = await runCli([
        'ask',
        '--model',
        PILOT_MODEL,
        '--mode',
        mode,
        '--image',
        picturePath,
        described.question,
      ]);
      assert.deepEqual(result, { code: 0, signal: null, stdout: ANSWER, stderr: '' });
    });
  }

  it('takes an image from standard input', async () => {
    const { stdout } = await runCli(
      ['ask', '--model', PILOT_MODEL, '--image', '-', described.question],
      pictureBytes(),
    );
    assert.equal(stdout, ANSWER);
  });

  it('takes an image from a data URL', async () => {
    const url = `data:image/png;base64,${pictureBytes().toString('base64')}`;
    const { stdout } = await runCli(['ask', '--model', PILOT_MODEL, '--image', url, described.question]);
    assert.equal(stdout, ANSWER);
  });

  it('takes an image from a web server', async () => {
    const server = createServer((_request, response) => response.end(pictureBytes()));
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    const address = server.address();
    assert(typeof address === 'object' && address !== null);
    const url = `http://127.0.0.1:${address.port}/picture.png`;
    const { stdout } = await runCli(['ask', '--model', PILOT_MODEL, '--image', url, described.question]);
    await new Promise((resolve) => server.close(resolve));
    assert.equal(stdout, ANSWER);
  });

  it('takes several images', async () => {
    const other = goldenImage(golden(5)).pathname;
    const { stdout } = await runCli([
      'ask',
      '--model',
      PILOT_MODEL,
      '--json',
      '-i',
      picturePath,
      '-i',
      other,
      described.question,
    ]);
    assert.equal(JSON.parse(stdout).usage.imageTokens, 50);
  });

  it('takes every setting of an engine but whose images these may be', async () => {
    const { stdout } = await runCli(['ask', '--help']);
    const flags = new Set(stdout.match(/--[a-z][a-z-]*/g));
    const missing = settingsOf(engineSchema).filter(({ name }) => !flags.has(name));
    assert.deepEqual(
      missing.map(({ path }) => path.join('.')),
      ['images.files', 'images.urls', 'images.hosts', 'images.privateAddresses'],
    );
  });

  it('takes more images than usual where it is told to', async () => {
    const images = Array.from({ length: 9 }, () => ['-i', picturePath]).flat();
    const args = ['--model', PILOT_MODEL, '--json', '--max-tokens', '1', '--max-images', '9'];
    const { stdout } = await runCli(['ask', ...args, ...images, 'What do you see?']);
    assert.equal(JSON.parse(stdout).usage.imageTokens, 9 * 25);
  });

  it('ends at a stop string and at the token limit', async () => {
    const stopped = await runCli([
      'ask',
      '--model',
      PILOT_MODEL,
      '-i',
      picturePath,
      '--stop',
      ' cross',
      described.question,
    ]);
    assert.equal(stopped.stdout, 'There are a red\n');
    const limited = await runCli([
      'ask',
      '--model',
      PILOT_MODEL,
      '-i',
      picturePath,
      '--max-tokens',
      '2',
      described.question,
    ]);
    assert.equal(limited.stdout, 'There are\n');
  });

  it('samples the same text with the same seed', async () => {
    const args = [
      'ask',
      '--model',
      PILOT_MODEL,
      '--json',
      '--temperature',
      '2',
      '--seed',
      '7',
      'What do you see?',
    ];
    const [first, second] = await Promise.all([runCli(args), runCli(args)]);
    assert.equal(JSON.parse(first.stdout).text, JSON.parse(second.stdout).text);
  });

  it('prints with --json one object and nothing else', async () => {
    const { stdout, stderr } = await runCli([
      'ask',
      '--model',
      PILOT_MODEL,
      '--json',
      '-i',
      picturePath,
      described.question,
    ]);
    assert.equal(stderr, '');
    assert.equal(stdout.indexOf('\n'), stdout.length - 1);
    const answer = JSON.parse(stdout);
    assert.deepEqual(Object.keys(answer), [
      'text',
      'finishReason',
      'usage',
      'timings',
      'mode',
      'bytesBetweenActors',
    ]);
    assert.equal(answer.text.trim(), described.greedy.trim());
    assert.equal(answer.finishReason, 'stop');
    assert.deepEqual(answer.usage, {
      promptTokens: described.promptIds.length,
      imageTokens: 25,
      cachedTokens: 0,
      completionTokens: described.tokenIds.length,
    });
    assert.equal(answer.mode, 'aggregated');
    assert.deepEqual(answer.bytesBetweenActors, {
      pixels: { moved: 3 * 80 * 80 * 4, copied: 0 },
      embeddings: { moved: 0, copied: 0 },
    });
  });

  it('prints text as it is made', async () => {
    const child = startCli(['ask', '--model', PILOT_MODEL, ...ENDLESS, 'What do you see?']);
    child.stdin.end();
    let pieces = 0;
    for await (const _ of child.stdout) {
      pieces += 1;
      if (pieces === 3) break;
    }
    child.kill('SIGINT');
    assert.equal(pieces, 3);
  });

  it('fails with exit code 1 when the time is up', async () => {
    const { code, stderr } = await runCli([
      'ask',
      '--model',
      PILOT_MODEL,
      '--timeout',
      '0.5',
      ...ENDLESS,
      'What do you see?',
    ]);
    assert.match(stderr, /^troupe: [^\n]+ \[DEADLINE_EXCEEDED\]\n$/);
    assert.equal(code, 1);
  });

  it('ends quietly when the reader of its output leaves', async () => {
    const child = startCli(['ask', '--model', PILOT_MODEL, ...ENDLESS, 'What do you see?']);
    child.stdin.end();
    let stderr = '';
    child.stderr.on('data', (chunk) => {
      stderr += chunk;
    });
    const end = ended(child);
    child.stdout.once('data', () => child.stdout.destroy());
    assert.deepEqual(await end, { code: 0, signal: null });
    assert.equal(stderr, '');
  });
});
