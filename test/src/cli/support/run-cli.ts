/** Runs the command line as its users do: a process of its own, from the sources. */
import { type ChildProcessByStdio, spawn } from 'node:child_process';
import type { Readable, Writable } from 'node:stream';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';

export const BIN = fileURLToPath(new URL('../../../../src/cli/bin.ts', import.meta.url));

/** Long enough for a busy machine; a process that has to be killed by it reports the signal, not an exit code. */
const TIMEOUT_MS = 30_000;

/**
 * Goes on up to the token limit, however small the model: the token that ends an answer occurs in the prompt, so the
 * repetition penalty rules it out, and what was said once becomes ever likelier. Some seconds of work.
 */
export const ENDLESS = [
  ...['--repetition-penalty', '1000', '--frequency-penalty', '-2', '--presence-penalty', '-2'],
  ...['--max-tokens', '1900'],
];

export interface CliResult {
  /** null when a signal ended the process. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

type CliEnd = Pick<CliResult, 'code' | 'signal'>;

/** Listened for from the start: a process may have ended by the time somebody asks. */
const ends = new WeakMap<CliProcess, Promise<CliEnd>>();

export type CliProcess = ChildProcessByStdio<Writable, Readable, Readable>;

export interface StartOptions {
  readonly bin?: string;
  /** Arguments of Node itself. */
  readonly nodeArgs?: readonly string[];
  /** The process is killed after it. */
  readonly timeoutMs?: number;
  /** Default: that of this process. */
  readonly env?: NodeJS.ProcessEnv;
}

export function startCli(
  args: readonly string[],
  { bin = BIN, nodeArgs = [], timeoutMs = TIMEOUT_MS, env = process.env }: StartOptions = {},
): CliProcess {
  const child = spawn(process.execPath, [...nodeArgs, bin, ...args], {
    stdio: 'pipe',
    env,
    timeout: timeoutMs,
    killSignal: 'SIGKILL',
  });
  const end = new Promise<CliEnd>((resolve) => {
    child.once('close', (code, signal) => resolve({ code, signal }));
  });
  ends.set(child, end);
  return child;
}

export async function runCli(
  args: readonly string[],
  input: string | Uint8Array = '',
  options: StartOptions = {},
): Promise<CliResult> {
  const child = startCli(args, options);
  child.stdin.end(input);
  const [stdout, stderr, end] = await Promise.all([text(child.stdout), text(child.stderr), ended(child)]);
  return { ...end, stdout, stderr };
}

/** How a process of `startCli` ended, or ends, once its output has been read to the end. */
export function ended(child: CliProcess): Promise<CliEnd> {
  const end = ends.get(child);
  if (end === undefined) throw new TypeError('The process was not started by startCli');
  return end;
}
