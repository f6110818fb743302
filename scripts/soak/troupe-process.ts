/** `troupe serve` or `troupe gateway` as a process of its own, and what it logs. */
import { type ChildProcess, spawn } from 'node:child_process';
import { createInterface } from 'node:readline';

export interface TroupeProcess {
  readonly child: ChildProcess;
  readonly url: string;
}

export type LogLine = Readonly<Record<string, unknown>> & { readonly msg: string };

const running = new Set<ChildProcess>();
process.once('exit', () => {
  for (const child of running) child.kill('SIGKILL');
});

const BIN = new URL('../../src/cli/bin.ts', import.meta.url).pathname;

/** Resolves when it serves; rejects when it ends before. */
export async function startTroupe(
  args: readonly string[],
  onLine: (line: LogLine) => void = () => {},
): Promise<TroupeProcess> {
  const child = spawn(process.execPath, [BIN, ...args, '--port', '0'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  running.add(child);
  child.once('exit', () => running.delete(child));
  const url = await new Promise<string>((resolve, reject) => {
    let listening = '';
    // Later it changes nothing: who ends a process knows.
    child.once('exit', (code, signal) => reject(new Error(`${args[0]} ended: ${code ?? signal}`)));
    createInterface({ input: child.stdout }).on('line', (text) => {
      const line: LogLine = JSON.parse(text);
      if (typeof line.url === 'string') listening = line.url;
      onLine(line);
      if (line.msg === 'ready') resolve(listening);
    });
  });
  return { child, url };
}
