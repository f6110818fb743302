/** What a figure was measured on: without it the figure says little. */
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

export interface MachineInfo {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  /** NVIDIA cards and their driver; absent where there are none, and in figures from before it was asked. */
  readonly gpu?: string;
  readonly os: string;
  readonly node: string;
  readonly onnxruntime: string;
  /** Commit that was measured; null outside a repository. */
  readonly commit: string | null;
}

export function machineInfo(): MachineInfo {
  const gpu = nvidiaCards();
  return {
    ...(gpu === undefined ? {} : { gpu }),
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.platform()} ${os.arch()}`,
    node: process.versions.node,
    onnxruntime: onnxruntimeVersion(),
    commit: currentCommit(),
  };
}

/** By the driver's own tool: WebGPU in Node does not tell which adapter it took. */
function nvidiaCards(): string | undefined {
  try {
    const args = ['--query-gpu=name,driver_version', '--format=csv,noheader'];
    const cards = execFileSync('nvidia-smi', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] });
    return cards.trim().split('\n').join('; ').replaceAll(', ', ', driver ') || undefined;
  } catch {
    return undefined;
  }
}

function onnxruntimeVersion(): string {
  const path = new URL('../node_modules/onnxruntime-node/package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string }; // an npm package has one
  return version;
}

/** Of the repository, or of the bundle that was made from it. */
export function currentCommit(): string | null {
  try {
    const args = ['-C', import.meta.dirname, 'rev-parse', '--short', 'HEAD'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    const file = new URL('../commit', import.meta.url);
    return existsSync(file) ? readFileSync(file, 'utf8').trim() || null : null;
  }
}
