/**
 * `npm run soak:attacks`: attacks a server of its own, with default settings and on the loopback address, in every way that
 * is known of, one after the other, beside an honest client with another address. Fails unless that one's requests are
 * answered: /health within 250 ms and a small question within 2 s, at the 99th percentile, beside what a bare server in
 * another process takes, which is the machine's part. Linux, where all of 127.0.0.0/8 is this machine.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { Endings } from './attacks/attack.ts';
import { ATTACKS } from './attacks/attacks.ts';
import type { BystanderData, Seen } from './attacks/bystander.ts';
import { flagsOf } from './flags.ts';
import { quantile } from './soak/watch.ts';

const HELP = `Usage: npm run soak:attacks [-- options]

Attacks a server of its own, on the loopback address, in ${ATTACKS.length} ways.

Options:
  --seconds N   how long each (default: 10)
  --only TEXT   only attacks with this in their name, or one of these: tiny,pipe
  --server FILE the command line to serve with (default: that of these sources)
  --list        say what the attacks are
  --help        show this
`;

const values = flagsOf(HELP, {
  seconds: { type: 'string', default: '10' },
  only: { type: 'string', default: '' },
  server: { type: 'string', default: new URL('../src/cli/bin.ts', import.meta.url).pathname },
  list: { type: 'boolean', default: false },
});

const LIMIT_MS = { health: 250, chat: 2_000 };
const ATTACKER = '127.0.0.1';
const BYSTANDER = '127.0.0.2';
const MEMORY_EVERY_MS = 100;
/** After which an attacker who has left must not be felt. */
const REST_MS = 1_000;
/** The clients would be on other machines. */
const ATTACKERS_NICENESS = 5;

const wanted = values.only.split(',');
const chosen = ATTACKS.filter(({ name }) => wanted.some((part) => name.includes(part)));
if (values.list) {
  for (const { name, what } of ATTACKS) console.log(`${name.padEnd(26)}${what}`);
  process.exit();
}

const server = spawn(process.execPath, [values.server, 'serve', '--port', '0', '--log-level', 'info'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
process.once('exit', () => server.kill('SIGKILL'));
const url = await new Promise<string>((resolve) => {
  let listening = '';
  createInterface({ input: server.stdout }).on('line', (line) => {
    const record: { msg: string; url?: string } = JSON.parse(line);
    listening = record.url ?? listening;
    if (record.msg === 'ready') resolve(listening);
  });
});

const bare = fork(new URL('./soak/bare-server.ts', import.meta.url));
const [bareUrl]: string[] = await once(bare, 'message');

let missed = false;
console.log(
  `p50, p99 and most, ms              /health          a small question   memory   the attacker's endings`,
);
await trial('(no attack)', async (signal) => {
  await once(signal, 'abort');
});
if (process.platform === 'linux') setPriority(0, ATTACKERS_NICENESS);
for (const { name, run } of chosen) {
  await trial(name, (signal, endings) => {
    const { hostname: host, port } = new URL(url);
    return run({ host, port: Number(port), from: ATTACKER }, signal, endings);
  });
}
bare.disconnect();
server.kill('SIGTERM');
const [code]: [number | null] = (await once(server, 'exit')) as [number | null];
console.log(`SIGTERM: exit ${code}`);
if (missed || code !== 0) process.exitCode = 1;

async function trial(
  name: string,
  attack: (signal: AbortSignal, endings: Endings) => Promise<void>,
): Promise<void> {
  const workerData: BystanderData = { url, bareUrl: `${bareUrl}`, from: BYSTANDER };
  const bystander = new Worker(new URL('./attacks/bystander.ts', import.meta.url), { workerData });
  await once(bystander, 'online');
  let peak = 0;
  const memory = setInterval(() => {
    peak = Math.max(peak, residentMiB());
  }, MEMORY_EVERY_MS);
  const endings = new Endings();
  const over = new AbortController();
  const attacked = attack(over.signal, endings);
  await wait(Number(values.seconds) * 1000);
  bystander.postMessage('end');
  const [seen]: Seen[] = await once(bystander, 'message');
  over.abort();
  await attacked;
  clearInterval(memory);
  if (seen === undefined) throw new Error('the bystander saw nothing');
  const { healthMs, chatMs, bareMs, failures } = seen;
  const machineMs = quantile(bareMs, 0.99);
  const good =
    quantile(healthMs, 0.99) - machineMs <= LIMIT_MS.health &&
    quantile(chatMs, 0.99) - machineMs <= LIMIT_MS.chat &&
    Object.keys(failures).length === 0;
  if (!good) missed = true;
  const columns = [times(healthMs), times(chatMs), times(bareMs), `${peak} MiB`.padStart(9)];
  console.log(`${good ? 'held  ' : 'MISSED'} ${name.padEnd(26)}${columns.join('  ')}   ${endings}`);
  if (Object.keys(failures).length > 0) console.log(`         the bystander: ${JSON.stringify(failures)}`);
  await wait(REST_MS);
}

function times(sorted: readonly number[]): string {
  return [0.5, 0.99, 1].map((share) => quantile(sorted, share).toFixed(0).padStart(5)).join(' ');
}

function residentMiB(): number {
  if (process.platform !== 'linux') return 0;
  const kib = /VmRSS:\s+(\d+)/.exec(readFileSync(`/proc/${server.pid}/status`, 'utf8'))?.[1];
  return Math.round(Number(kib) / 1024);
}
