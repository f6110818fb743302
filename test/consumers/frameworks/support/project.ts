/** An empty project with the frameworks, pinned, and the packed package in it, as a consumer has them. */
import { execFile } from 'node:child_process';
import { copyFile, cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { plainDefaultGolden } from '../../../support/default-golden.ts';

const ROOT = fileURLToPath(new URL('../../../../', import.meta.url));
const PROJECT = fileURLToPath(new URL('../project/', import.meta.url));
/** The package, where somebody has packed it for several test files. */
const PACKED = 'TROUPE_PACKED_PACKAGE';
const TIMEOUT_MS = 300_000;
const MOST_OUTPUT = 16 * 1024 * 1024;
const run = promisify(execFile);

export interface Ended {
  readonly code: number;
  /** Standard output, and standard error after it. */
  readonly output: string;
}

export class Project {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  static async create(): Promise<Project> {
    const project = new Project(await mkdtemp(join(tmpdir(), 'troupe-frameworks-')));
    const { picture, question, greedy } = plainDefaultGolden();
    await cp(PROJECT, project.folder, { recursive: true });
    await copyFile(picture, project.path('picture.png'));
    await writeFile(project.path('expected.json'), JSON.stringify({ question, answer: greedy.trim() }));
    await cp(join(ROOT, 'examples', 'nextjs'), project.path('nextjs'), { recursive: true });
    await project.#npm('ci', '--ignore-scripts');
    const packed = process.env[PACKED] ?? (await pack(project.folder));
    await project.#npm('install', '--no-save', '--ignore-scripts', packed);
    return project;
  }

  path(...parts: string[]): string {
    return join(this.folder, ...parts);
  }

  /** Of the project's Node, which is the one of this test, and none of npm's settings of ours. */
  get env(): NodeJS.ProcessEnv {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^npm_|^NODE_(OPTIONS|TEST_CONTEXT|ENV)$/i.test(name),
    );
    return {
      ...Object.fromEntries(inherited),
      PATH: [dirname(process.execPath), process.env.PATH].join(delimiter),
      NEXT_TELEMETRY_DISABLED: '1',
      CI: '1',
      NO_COLOR: '1',
    };
  }

  /** Runs a program of the project to its end, however it ends; kills it when it does not. */
  async node(args: readonly string[], env: NodeJS.ProcessEnv = {}, cwd = this.folder): Promise<Ended> {
    const options = { cwd, env: { ...this.env, ...env }, timeout: TIMEOUT_MS, maxBuffer: MOST_OUTPUT };
    try {
      const { stdout, stderr } = await run(process.execPath, args, options);
      return { code: 0, output: stdout + stderr };
    } catch (error) {
      const { code, killed, stdout, stderr } = error as Partial<Record<string, unknown>>; // execFile's
      if (killed === true) throw new Error(`${args.join(' ')} does not end:\n${stdout}${stderr}`);
      if (typeof code !== 'number') throw error;
      return { code, output: `${stdout}${stderr}` };
    }
  }

  async remove(): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }

  async #npm(...args: string[]): Promise<void> {
    const options = { cwd: this.folder, env: this.env, timeout: TIMEOUT_MS, maxBuffer: MOST_OUTPUT };
    await run('npm', [...args, '--prefer-offline', '--no-audit', '--no-fund'], options);
  }
}

/** @returns the packed package, a file in the folder */
async function pack(folder: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    timeout: TIMEOUT_MS,
    maxBuffer: MOST_OUTPUT,
  });
  // A build's own output may come before the JSON.
  const [packed] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  return `./${packed.filename}`;
}
