/**
 * `npm run bench:bundle [-- FOLDER]`: everything that the suites and the tests on a GPU and `scaling` need, Node included, in one
 * folder, for a machine of the same system and processor that has neither Node nor npm.
 */
import { cp, mkdir, readdir, rm, stat, writeFile } from 'node:fs/promises';
import { join, relative, resolve } from 'node:path';
import process from 'node:process';
import { parseArgs } from 'node:util';
import { cacheFolder } from '../generated-model/generate.ts';
import { currentCommit } from '../machine.ts';
import { packagesOf, runtimePackages } from './installed-packages.ts';

const ROOT = resolve(import.meta.dirname, '..', '..');

/** Run as they are; what else is in the repository is for people and for tests. */
const SOURCES = [
  'package.json',
  'LICENSE',
  'runtime',
  'actors',
  'src',
  'bench',
  'models/default',
  'scripts/soak',
  'test/support',
  'test/fixtures/default-golden',
  'test/fixtures/graphs',
  'test/families/support',
  'test/fleet/support',
  'test/gpu',
  'test/actors/pd/support',
  'test/fixtures/golden',
  'test/fixtures/pilot-model',
];
const NOT_COPIED = new Set(['node_modules', '.cache', '.troupe-cache', 'results', 'playground']);

/** What suites import of `bench/`'s own packages; the peers and the plots stay behind. */
const BENCH_PACKAGES = ['tinybench', 'simple-statistics', '@huggingface/gguf'];

const RUN = `#!/bin/sh
# The suites on a GPU, unless flags name others: --suite scaling needs none. WebGPU needs a Vulkan loader (Debian and
# Ubuntu: libvulkan1).
cd "$(dirname "$0")" || exit
case " $* " in
  *" --suite"*) exec ./node bench/run.ts "$@" ;;
  *) exec ./node bench/run.ts --suite gpu-graphs --suite gpu --suite gpu-fp16 "$@" ;;
esac
`;

const USAGE = `Usage: npm run bench:bundle [-- FOLDER]

Gathers what the suites and the tests on a GPU need, Node included, in FOLDER (default: troupe-bench in the benchmarks'
cache), which must be empty or an earlier bundle: it is made anew.
`;

const target = resolve(folderAsked() ?? join(cacheFolder(), 'troupe-bench'));
await refuseOthersFolder();
await rm(target, { recursive: true, force: true });
for (const path of SOURCES) await copy(path, (source) => !NOT_COPIED.has(source.split('/').at(-1) ?? ''));
for (const path of await runtimePackages(ROOT)) await copy(path, isOfThisPlatform);
for (const path of await packagesOf(join(ROOT, 'bench'), BENCH_PACKAGES)) await copy(join('bench', path));
await cp(process.execPath, join(target, 'node'));
await writeFile(join(target, 'run.sh'), RUN, { mode: 0o755 });
await writeFile(join(target, 'commit'), `${currentCommit() ?? ''}\n`);
const megabytes = ((await sizeOf(target)) / 1e6).toFixed(0);
process.stdout.write(`${relative(process.cwd(), target)}: ${megabytes} MB; copy it and start run.sh\n`);

function folderAsked(): string | undefined {
  try {
    const { values, positionals } = parseArgs({
      allowPositionals: true,
      options: { help: { type: 'boolean' } },
    });
    if (positionals.length > 1) throw new Error(`one folder, not ${positionals.length}`);
    if (values.help !== true) return positionals[0];
    process.stdout.write(USAGE);
    process.exit(0);
  } catch (error) {
    process.stderr.write(`${error instanceof Error ? error.message : error}\n\n${USAGE}`);
    process.exit(2);
  }
}

/** It is about to be deleted. */
async function refuseOthersFolder(): Promise<void> {
  const there = await readdir(target).catch((): string[] => []);
  if (there.length === 0 || (there.includes('run.sh') && there.includes('commit'))) return;
  process.stderr.write(`${target} holds something else than a bundle\n\n${USAGE}`);
  process.exit(2);
}

async function copy(path: string, filter: (source: string) => boolean = () => true): Promise<void> {
  await mkdir(join(target, path, '..'), { recursive: true });
  await cp(join(ROOT, path), join(target, path), { recursive: true, filter });
}

/** onnxruntime brings its library for every platform. */
function isOfThisPlatform(source: string): boolean {
  const found = /onnxruntime-node\/bin\/napi-v\d+\/([^/]+)(?:\/([^/]+))?/.exec(source);
  if (found === null) return true;
  const [, platform, arch = process.arch] = found;
  return platform === process.platform && arch === process.arch;
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  const sizes = await Promise.all(
    files.map(async (file) => (await stat(join(file.parentPath, file.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
