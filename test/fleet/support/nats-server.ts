/** NATS servers for tests: Debian's `nats-server`, on free ports. Tests that need one are skipped where there is none. */
import assert from 'node:assert/strict';
import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

/** Why tests with a fleet are skipped; false where they are not. */
export const NO_NATS: string | false =
  spawnSync('nats-server', ['--version']).status === 0
    ? false
    : "there is no nats-server here (Debian's package of that name)";

export interface NatsServer extends AsyncDisposable {
  readonly url: string;
  readonly process: ChildProcess;
  /** As by `kill -9`. */
  kill(): Promise<void>;
  /** Again, on the same port. */
  restart(): Promise<void>;
}

/** @param config lines of its configuration file */
export async function startNats(config = '', port?: number): Promise<NatsServer> {
  const own = port ?? (await freePort());
  const folder = await mkdtemp(join(tmpdir(), 'troupe-nats-'));
  const file = join(folder, 'nats.conf');
  await writeFile(file, `listen: "127.0.0.1:${own}"\n${config}\n`);
  let child = await run(file);
  const end = async () => {
    if (child.exitCode !== null || child.signalCode !== null) return;
    const ended = once(child, 'exit');
    child.kill('SIGKILL');
    await ended;
  };
  return {
    url: `nats://127.0.0.1:${own}`,
    get process() {
      return child;
    },
    kill: end,
    restart: async () => {
      await end();
      child = await run(file);
    },
    [Symbol.asyncDispose]: async () => {
      await end();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function run(file: string): Promise<ChildProcess> {
  const child = spawn('nats-server', ['-c', file], { stdio: ['ignore', 'ignore', 'pipe'] });
  let said = '';
  const ready = new Promise<void>((resolve) => {
    createInterface({ input: child.stderr }).on('line', (line) => {
      said += `${line}\n`;
      if (line.includes('Server is ready')) resolve();
    });
  });
  const ended = once(child, 'exit').then(() => assert.fail(`nats-server ended: ${said}`));
  ended.catch(() => undefined);
  await Promise.race([ready, ended]);
  return child;
}

export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  assert(address !== null && typeof address === 'object');
  return address.port;
}
