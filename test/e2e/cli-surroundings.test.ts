import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';
import { describe, it, type TestContext } from 'node:test';
import { BIN, runCli } from '../src/cli/support/run-cli.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

async function shell(script: string, ...args: readonly string[]): Promise<Ended> {
  const child = spawn('sh', ['-c', script, 'sh', ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: 60_000,
  });
  const [stdout, stderr, [code]] = await Promise.all([
    text(child.stdout),
    text(child.stderr),
    once(child, 'exit'),
  ]);
  return { code, stdout, stderr };
}

/** One line that names what is wrong, and no stack. */
function assertOneLine({ code, stderr }: Ended, pattern: RegExp): void {
  assert.match(stderr, pattern);
  assert.doesNotMatch(stderr, /\n\s+at /);
  assert.equal(stderr.trim().split('\n').length, 1, stderr);
  assert.equal(code, 1);
}

const ASK = ['ask', '--model', PILOT_MODEL, 'What do you see?'];

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-cli-'));
  t.after(() => rm(path, { recursive: true, force: true }));
  return path;
}

describe('a command', () => {
  for (const args of [ASK, ['inspect', '--model', PILOT_MODEL], ['serve', '--port', '0']]) {
    it(`says that its working folder was deleted (${args[0]})`, {
      skip: process.platform === 'win32',
    }, async (t) => {
      const script = 'cd "$1" && rmdir "$1" && shift && exec "$@"';
      const ended = await shell(script, await folder(t), process.execPath, BIN, ...args);
      assertOneLine(
        { ...ended, stderr: ended.stderr },
        /working folder has been deleted.* \[WORKING_FOLDER_GONE\]/,
      );
    });
  }

  for (const nofile of [24, 30]) {
    it(`says that it may not open enough files (${nofile})`, {
      skip: process.platform !== 'linux',
    }, async () => {
      const ended = await shell(`ulimit -n ${nofile}; exec "$@"`, process.execPath, BIN, ...ASK);
      assertOneLine(ended, /EMFILE|too many open files/);
    });
  }

  it('names the permissions that it lacks', async () => {
    const args = ['--permission', '--allow-fs-read=*', BIN, ...ASK];
    assertOneLine(
      await shell('exec "$@"', process.execPath, ...args),
      /--allow-worker.* \[PERMISSION_MISSING\]/,
    );
  });

  it('says that it may not even read itself', async () => {
    const ended = await shell(
      'exec "$@"',
      process.execPath,
      '--permission',
      `--allow-fs-read=${BIN}`,
      BIN,
      '--help',
    );
    assertOneLine(ended, /\[LOAD_FAILED\]/);
  });

  it('says that the graph cache cannot be written, and answers', async (t) => {
    const path = await folder(t);
    await writeFile(join(path, 'file'), '');
    const { code, stdout, stderr } = await shell(
      'export TROUPE_CACHE_DIR="$1"; shift; exec "$@"',
      join(path, 'file', 'cache'),
      process.execPath,
      BIN,
      ...ASK,
    );
    assert.equal(code, 0);
    assert.notEqual(stdout.trim(), '');
    assert.match(stderr, /^troupe: the graph cache cannot be written: .*ENOTDIR.*TROUPE_CACHE_DIR.*\n$/);
  });
});

describe('--timeout', () => {
  it('covers a model whose chat template never ends', async (t) => {
    const model = await folder(t);
    await cp(PILOT_MODEL, model, { recursive: true });
    const file = join(model, 'tokenizer_config.json');
    const config = JSON.parse(await readFile(file, 'utf8'));
    const loop = '{% for i in range(1000000) %}{% for j in range(1000000) %}{% endfor %}{% endfor %}';
    config.chat_template = loop;
    await writeFile(file, JSON.stringify(config));
    await rm(join(model, 'chat_template.jinja'), { force: true });
    await rm(join(model, 'chat_template.json'), { force: true });
    const { code, stderr } = await runCli(['ask', '--model', model, '--timeout', '3', 'What do you see?']);
    assert.match(stderr, /no answer within 3 s \[DEADLINE_EXCEEDED\]/);
    assert.equal(code, 1);
  });
});
