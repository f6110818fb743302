/** The package as `npm pack` makes it, and empty projects that it is installed into. */
import { execFile } from 'node:child_process';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

/** Of this clone. */
export const ROOT = fileURLToPath(new URL('../../../', import.meta.url));
/** Where `pack-once.ts` says that the package is. */
const PACKED = 'TROUPE_PACKED_PACKAGE';
const MOST_OUTPUT = 16 * 1024 * 1024;

/** Packing takes half a minute, an installation as long, on a slow machine several times that. */
export const TIMEOUT_MS = 600_000;

const run = promisify(execFile);

/** Packs this clone. @returns the path of the package in `folder` */
export async function pack(folder: string): Promise<string> {
  const { stdout } = await run('npm', ['pack', '--json', '--pack-destination', folder], {
    cwd: ROOT,
    timeout: TIMEOUT_MS,
    maxBuffer: MOST_OUTPUT,
  });
  // A build's own output may come before the JSON.
  const [packed] = JSON.parse(stdout.slice(stdout.search(/^\[/m)));
  return join(folder, packed.filename);
}

/** Packs the runtime of this clone, which is built. @returns the path of the package in `folder` */
export async function packRuntime(folder: string): Promise<string> {
  await run(process.execPath, ['scripts/build-runtime.ts'], { cwd: ROOT });
  const args = ['pack', '--json', '--pack-destination', folder];
  const { stdout } = await run('npm', args, { cwd: join(ROOT, 'dist-runtime'), timeout: TIMEOUT_MS });
  const [packed] = JSON.parse(stdout);
  return join(folder, packed.filename);
}

export interface Outcome {
  readonly stdout: string;
  readonly stderr: string;
}

export interface CommandOptions {
  /** Folder of the Node to run it with, default that of this test. */
  readonly nodeFolder?: string;
  readonly env?: Readonly<Record<string, string>>;
  /** Default: the project's folder. */
  readonly cwd?: string;
}

/** A project of somebody else in a folder of its own, to be removed; `await using` does it. */
export class Consumer implements AsyncDisposable {
  readonly folder: string;

  private constructor(folder: string) {
    this.folder = folder;
  }

  /** @param manifest fields of its package.json */
  static async create(manifest: Readonly<Record<string, unknown>> = {}): Promise<Consumer> {
    const consumer = new Consumer(await mkdtemp(join(tmpdir(), 'troupe-consumer-')));
    await consumer.write({
      'package.json': JSON.stringify({ name: 'consumer', private: true, ...manifest }),
    });
    return consumer;
  }

  /**
   * A project with the package installed, and nothing else.
   * @param npm path of the npm to use, default the one that is there
   */
  static async withTroupe(
    manifest: Readonly<Record<string, unknown>> = {},
    npm?: string,
  ): Promise<{ readonly consumer: Consumer; readonly said: Outcome }> {
    const consumer = await Consumer.create(manifest);
    const packed = process.env[PACKED] ?? (await pack(consumer.folder));
    const said = await consumer.npm(['install', packed], npm);
    return { consumer, said };
  }

  /** Writes files, by path below the folder. */
  async write(files: Readonly<Record<string, string>>): Promise<void> {
    for (const [path, text] of Object.entries(files)) {
      await mkdir(dirname(join(this.folder, path)), { recursive: true });
      await writeFile(join(this.folder, path), text);
    }
  }

  /** Runs a command there, with none of npm's settings of this project. Fails with what it said on standard error. */
  async run(
    command: string,
    args: readonly string[],
    { nodeFolder = dirname(process.execPath), env = {}, cwd = this.folder }: CommandOptions = {},
  ): Promise<Outcome> {
    const inherited = Object.entries(process.env).filter(
      ([name]) => !/^(npm_|onnxruntime_|ort_)/i.test(name) && name !== PACKED,
    );
    return await run(command, args, {
      cwd,
      env: {
        ...Object.fromEntries(inherited),
        PATH: [nodeFolder, process.env.PATH].join(delimiter),
        ...env,
      },
      timeout: TIMEOUT_MS,
      maxBuffer: MOST_OUTPUT,
    });
  }

  /** Runs npm there, without what it asks and shows beside its work. */
  async npm(args: readonly string[], npm?: string): Promise<Outcome> {
    const all = [...args, '--prefer-offline', '--no-audit', '--no-fund'];
    return npm === undefined ? await this.run('npm', all) : await this.run(process.execPath, [npm, ...all]);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await rm(this.folder, { recursive: true, force: true });
  }
}

/** Packs once for all test files of a run; `node --test --test-global-setup` runs it. */
export async function packOnce(): Promise<void> {
  process.env[PACKED] = await pack(await mkdtemp(join(tmpdir(), 'troupe-packed-')));
}

export async function removePacked(): Promise<void> {
  const packed = process.env[PACKED];
  if (packed !== undefined) await rm(dirname(packed), { recursive: true, force: true });
}
