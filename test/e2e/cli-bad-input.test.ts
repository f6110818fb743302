import assert from 'node:assert/strict';
import { cp, mkdtemp, rm, truncate, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { picturePath, pixelBomb, truncatedJpeg } from '../src/cli/support/pictures.ts';
import { runCli } from '../src/cli/support/run-cli.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

/** Wrong input ends with exit code 2 and one line, and what ended is the process itself, not the test's patience. */
async function assertRefused(args: readonly string[], code: string, input?: string): Promise<void> {
  const result = await runCli(args, input);
  assert.match(result.stderr, /^troupe: [^\n]+ \[[A-Z_]+\]\n$/);
  assert.match(result.stderr, new RegExp(`\\[${code}\\]\n$`));
  assert.equal(result.stdout, '');
  assert.equal(result.code, 2);
}

describe('troupe ask refuses', () => {
  let folder: string;
  const file = async (name: string, content: string | Uint8Array) => {
    const path = join(folder, name);
    await writeFile(path, content);
    return path;
  };

  before(async () => {
    folder = await mkdtemp(join(tmpdir(), 'troupe-cli-'));
  });
  after(() => rm(folder, { recursive: true }));

  it('a missing file', () =>
    assertRefused(['ask', '-i', join(folder, 'none.png'), 'What?'], 'IMAGE_NOT_FOUND'));

  it('a text file named .png', async () => {
    const path = await file('text.png', 'this is no picture\n');
    await assertRefused(['ask', '-i', path, 'What?'], 'IMAGE_FORMAT_UNSUPPORTED');
  });

  it('a truncated JPEG', async () => {
    const path = await file('truncated.jpg', await truncatedJpeg());
    await assertRefused(['ask', '-i', path, 'What?'], 'IMAGE_CORRUPT');
  });

  it('a header that claims 50,000×50,000 pixels', async () => {
    const path = await file('bomb.png', pixelBomb());
    await assertRefused(['ask', '-i', path, 'What?'], 'IMAGE_TOO_LARGE_PIXELS');
  });

  it('a file of 0 bytes', async () => {
    const path = await file('empty.png', '');
    await assertRefused(['ask', '-i', path, 'What?'], 'IMAGE_EMPTY');
  });

  it('an empty standard input', () => assertRefused(['ask', '-i', '-', 'What?'], 'IMAGE_EMPTY', ''));

  it('standard input twice', () =>
    assertRefused(['ask', '-i', '-', '-i', '-', 'What?'], 'INVALID_ARGUMENT', 'bytes'));

  it('a URL where nobody listens', async () => {
    const url = `http://127.0.0.1:${await unusedPort()}/picture.png`;
    await assertRefused(['ask', '-i', url, 'What?'], 'IMAGE_FETCH_FAILED');
  });

  it('a data URL with broken base64', () =>
    assertRefused(['ask', '-i', 'data:image/png;base64,!', 'What?'], 'IMAGE_DATA_URL_INVALID'));

  it('an empty question', () => assertRefused(['ask', '-i', picturePath, ' '], 'EMPTY_QUESTION'));

  it('more images than the limit', () => {
    const images = Array.from({ length: 9 }, () => ['-i', picturePath]).flat();
    return assertRefused(['ask', ...images, 'What?'], 'TOO_MANY_IMAGES');
  });

  it('more images than the limit, naming the flag that raises it', async () => {
    const args = ['--max-images', '1', '-i', picturePath, '-i', picturePath];
    const { stderr } = await runCli(['ask', ...args, 'What?']);
    assert.match(stderr, /Send fewer images, or raise --max-images\. \[TOO_MANY_IMAGES\]\n$/);
  });

  it('a model directory that is not there', () =>
    assertRefused(['ask', '--model', join(folder, 'none'), 'What?'], 'MODEL_NOT_FOUND'));

  it('a model directory with a file missing', async () => {
    const model = join(folder, 'incomplete');
    await cp(PILOT_MODEL, model, { recursive: true });
    await rm(join(model, 'tokenizer.json'));
    await assertRefused(['ask', '--model', model, 'What?'], 'MODEL_FILE_MISSING');
  });

  it('a model directory with a corrupt graph', async () => {
    const model = join(folder, 'corrupt');
    await cp(PILOT_MODEL, model, { recursive: true });
    await truncate(join(model, 'onnx', 'decoder_model_merged.onnx'), 100_000);
    await assertRefused(['ask', '--model', model, 'What?'], 'MODEL_FILE_CORRUPT');
  });

  it('a precision that the model does not have', () =>
    assertRefused(['ask', '--dtype', 'fp16', 'What?'], 'MODEL_DTYPE_MISSING'));

  it('an unknown mode', () => assertRefused(['ask', '--mode', 'both', 'What?'], 'INVALID_ARGUMENT'));

  it('a negative number of tokens', () =>
    assertRefused(['ask', '--max-tokens', '-1', 'What?'], 'INVALID_ARGUMENT'));

  it('an image of more bytes than the engine is told to take', async () => {
    const { stderr } = await runCli(['ask', '--max-image-bytes', '100', '-i', picturePath, 'What?']);
    assert.match(stderr, /raise --max-image-bytes\. \[IMAGE_TOO_LARGE_BYTES\]\n$/);
  });

  it('a setting of the engine that makes no sense, by its flag', async () => {
    const { stderr, code } = await runCli(['ask', '--pds', '300', 'What?']);
    assert.match(stderr, /^troupe: --pds: [^\n]+ \(300\)\. See troupe ask --help \[INVALID_OPTION\]\n$/);
    assert.equal(code, 2);
  });

  for (const command of ['ask', 'inspect']) {
    it(`a proxy that is none, without its password (${command})`, async () => {
      const args = command === 'ask' ? ['What?'] : [];
      const { stderr } = await runCli([command, '--image-proxy', 'ftp://me:secret@proxy', ...args]);
      assert.match(stderr, /^troupe: --image-proxy: [^\n]+ \("\[redacted\]"\)/);
    });
  }

  it('no question', () => assertRefused(['ask'], 'INVALID_ARGUMENT'));

  it('an unknown option', () => assertRefused(['ask', '--colour', 'What?'], 'INVALID_ARGUMENT'));

  it('an unknown command', () => assertRefused(['answer'], 'INVALID_ARGUMENT'));

  it('with --json: also one object on stdout', async () => {
    const { stdout, stderr, code } = await runCli(['ask', '--json', '--max-tokens', '-1', 'What?']);
    const { error } = JSON.parse(stdout);
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.equal(stderr, `troupe: ${error.message} [INVALID_ARGUMENT]\n`);
    assert.equal(code, 2);
  });

  it('in words of the command line, not of the API', async () => {
    const path = await file('words.png', 'no picture');
    const { stderr } = await runCli(['ask', '-i', path, 'What?']);
    assert(stderr.startsWith(`troupe: --image ${path.slice(0, 30)}`), stderr);
  });
});

/** A port that was free a moment ago. */
async function unusedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  assert(typeof address === 'object' && address !== null);
  return address.port;
}
