/** The page to get started is followed word for word: its programs run and print what their comments say. */
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { describe, it } from 'node:test';
import { promisify } from 'node:util';
import { pino } from 'pino';
import { serve } from '../../src/server/index.ts';
import { ROOT } from './markdown.ts';

const run = promisify(execFile);
const PAGE = readFileSync(`${ROOT}docs/getting-started.md`, 'utf8');
const PROGRAMS = [...PAGE.matchAll(/^```js\n(.*?)^```$/gms)].map(([, code = '']) => code);

/** Runs a command where the picture of the page lies. */
async function output(...args: string[]): Promise<string> {
  const { stdout } = await run(process.execPath, args, { cwd: `${ROOT}examples`, timeout: 60_000 });
  return stdout;
}

/** From a file within the project, where its packages are found. */
async function runProgram(code: string): Promise<string> {
  await mkdir(`${ROOT}.cache`, { recursive: true });
  const folder = await mkdtemp(`${ROOT}.cache/getting-started-`);
  try {
    await writeFile(`${folder}/ask.mjs`, code);
    return await output(`${folder}/ask.mjs`);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** What the comments behind `console.log` say is printed. */
const announced = (code: string): string =>
  [...code.matchAll(/^console\.log\(.*\); \/\/ (.*)$/gm)].map(([, line]) => `${line}\n`).join('');

describe('the page to get started', () => {
  it('has a program, and a client of the server', () => {
    assert.deepEqual(
      PROGRAMS.map((code) => code.match(/import \S+ from '(?!node:)(.*)'|\{ (Troupe) \}/)?.slice(1)),
      [
        [undefined, 'Troupe'],
        ['openai', undefined],
      ],
    );
    for (const code of PROGRAMS) assert.notEqual(announced(code), '');
  });

  it('asks on the command line, and gets the answer that it shows', async () => {
    const shown = PAGE.match(/^npx troupe ask --image four-shapes\.png "(.*)"\n```\n\n```\n(.*?)^```/ms);
    const [, question = '', answer = ''] = shown ?? [];
    const printed = await output(`${ROOT}src/cli/bin.ts`, 'ask', '--image', 'four-shapes.png', question);
    assert.equal(printed.trim(), answer.trim().replaceAll('\n', ' '));
  });

  it('asks from a program, twice', async () => {
    const [code = ''] = PROGRAMS;
    const here = code.replace("'troupe'", `'${new URL('../../src/index.ts', import.meta.url)}'`);
    assert.equal(await runProgram(here), announced(code));
  });

  it('asks a server as a client of OpenAI does', async () => {
    const [, code = ''] = PROGRAMS;
    await using server = await serve({ port: 0, logger: pino({ level: 'silent' }) });
    assert(code.includes("'http://127.0.0.1:8000/v1'"));
    assert.equal(await runProgram(code.replace('http://127.0.0.1:8000', server.url)), announced(code));
  });
});
