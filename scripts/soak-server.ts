/**
 * `npm run soak:server`: ten minutes of mixed load at four times what a server takes, with clients that leave at random,
 * against a server of its own on the loopback address. Then SIGTERM while the load goes on. Fails unless every request
 * had an answer or an error, all places were free at the end and the server exited with 0. Times and memory are printed.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { setPriority } from 'node:os';
import { createInterface } from 'node:readline';
import { flagsOf } from './flags.ts';
import { mixedLoad } from './soak/mixed-load.ts';
import { quantile, watch } from './soak/watch.ts';

const HELP = `Usage: npm run soak:server [-- options]

Loads a server of its own, on the loopback address, with four times what it takes, then ends it under load.

Options:
  --seconds N   how long (default: 600)
  --seed N      of the clients' choices (default: 1)
  --insist      clients come again at once when the server tells them that it goes away
  --help        show this
`;

const values = flagsOf(HELP, {
  seconds: { type: 'string', default: '600' },
  seed: { type: 'string', default: '1' },
  insist: { type: 'boolean', default: false },
});
const seconds = Number(values.seconds);
const seed = Number(values.seed);
/** Requests in the engine and in the queue. */
const CAPACITY = { inFlight: 8, queued: 8 };
const CLIENTS = 4 * (CAPACITY.inFlight + CAPACITY.queued);
/** Of the load that goes on: until the server is told to end, and long enough to see it gone. */
const LAST = { beforeMs: 1_000, afterMs: 6_500 };
/** That of the server's inference threads. */
const CLIENTS_NICENESS = 5;
const MIB = 1024 * 1024;

const args = ['serve', '--port', '0', '--log-level', 'info', '--drain-ms', '20000'];
const limits = ['--max-in-flight', `${CAPACITY.inFlight}`, '--max-queued', `${CAPACITY.queued}`];
const bin = new URL('../src/cli/bin.ts', import.meta.url).pathname;
const child = spawn(process.execPath, [bin, ...args, ...limits], { stdio: ['ignore', 'pipe', 'inherit'] });
process.once('SIGINT', () => child.kill('SIGTERM'));

const url = await new Promise<string>((resolve) => {
  let listening = '';
  createInterface({ input: child.stdout }).on('line', (line) => {
    const record: { msg: string; url?: string } = JSON.parse(line);
    listening = record.url ?? listening;
    if (record.msg === 'ready') resolve(listening);
  });
});

console.log(
  `${CLIENTS} clients for ${seconds} s against ${url}, which takes ${CAPACITY.inFlight} + ${CAPACITY.queued}`,
);
const watching = await watch(url);
// The clients would be on other machines: here they give way to the server, and to the watcher on its own thread.
if (process.platform === 'linux') setPriority(0, CLIENTS_NICENESS);
const clients = { url, clients: CLIENTS, insist: values.insist };
const load = await mixedLoad({ ...clients, durationMs: seconds * 1000, seed });
const { healthMs, bareMs, healthFailures, residentBytes } = await watching.end();
const requestsLeft = await settledRequests(url);

const last = mixedLoad({ ...clients, durationMs: LAST.beforeMs + LAST.afterMs, seed: seed + 1000 });
const exit = once(child, 'exit');
setTimeout(() => child.kill('SIGTERM'), LAST.beforeMs);
const [code, signal]: [number | null, string | null] = (await exit) as [number | null, string | null];
const ending = await last;

const third = Math.ceil(residentBytes.length / 3);
const mean = (bytes: readonly number[]) => bytes.reduce((sum, value) => sum + value, 0) / bytes.length / MIB;
console.log(`requests    ${load.requests}: ${JSON.stringify(load.endings)}`);
console.log(`left over   ${JSON.stringify(requestsLeft)}`);
const times = (sorted: readonly number[]) =>
  [0.5, 0.9, 0.99, 1].map((share) => `${quantile(sorted, share).toFixed(1)} ms`).join(', ');
console.log(
  `/health     ${healthMs.length} looks, ${healthFailures} failed; p50, p90, p99, most: ${times(healthMs)}`,
);
console.log(`bare server in another process, in turn: ${times(bareMs)}`);
console.log(`over 50 ms: /health ${over(healthMs, 50)}, bare server ${over(bareMs, 50)}`);
console.log(
  `resident    ${mean(residentBytes.slice(third, 2 * third)).toFixed(0)} MiB in the second third, ` +
    `${mean(residentBytes.slice(2 * third)).toFixed(0)} MiB in the last`,
);
console.log(`SIGTERM     exit ${code ?? signal}; ${JSON.stringify(ending.endings)}`);
for (const why of [...load.lost, ...ending.lost]) console.log(`lost        ${why}`);

const free = requestsLeft.running === 0 && requestsLeft.waiting === 0;
const lost = load.endings.lost + load.endings.gone + ending.endings.lost;
if (lost > 0 || !free || code !== 0) process.exitCode = 1;

/** What is running and waiting once those who left have been noticed. */
async function settledRequests(server: string): Promise<{ running: number; waiting: number }> {
  for (let tries = 0; ; tries++) {
    const { requests } = JSON.parse(await (await fetch(`${server}/health`)).text());
    if ((requests.running === 0 && requests.waiting === 0) || tries === 50) return requests;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
}

function over(sorted: readonly number[], ms: number): number {
  return sorted.filter((value) => value > ms).length;
}
