/** What a figure was measured on: without it the figure says little. */
import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import os from 'node:os';
import process from 'node:process';

export interface MachineInfo {
  readonly cpu: string;
  readonly cores: number;
  readonly memoryGiB: number;
  readonly os: string;
  readonly node: string;
  readonly onnxruntime: string;
  /** Commit that was measured; null outside a repository. */
  readonly commit: string | null;
}

export function machineInfo(): MachineInfo {
  return {
    cpu: os.cpus()[0]?.model.trim() ?? 'unknown',
    cores: os.availableParallelism(),
    memoryGiB: Math.round(os.totalmem() / 2 ** 30),
    os: `${os.platform()} ${os.arch()}`,
    node: process.versions.node,
    onnxruntime: onnxruntimeVersion(),
    commit: currentCommit(),
  };
}

function onnxruntimeVersion(): string {
  const path = new URL('../node_modules/onnxruntime-node/package.json', import.meta.url);
  const { version } = JSON.parse(readFileSync(path, 'utf8')) as { version: string }; // an npm package has one
  return version;
}

function currentCommit(): string | null {
  try {
    const args = ['-C', import.meta.dirname, 'rev-parse', '--short', 'HEAD'];
    return execFileSync('git', args, { encoding: 'utf8', stdio: ['ignore', 'pipe', 'ignore'] }).trim();
  } catch {
    return null;
  }
}
