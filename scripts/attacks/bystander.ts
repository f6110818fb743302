/**
 * An honest client beside an attack, from an address of its own and on a thread of its own: looks at /health, asks small
 * questions, each on a new connection, and notes how long that took. What a bare server in another process takes for an
 * answer, looked at in turn, is the machine's part of it.
 */
import { request } from 'node:http';
import { setTimeout as wait } from 'node:timers/promises';
import { parentPort, workerData } from 'node:worker_threads';

export interface Seen {
  /** Milliseconds, ascending; a request that failed counts with the time until it did. */
  readonly healthMs: readonly number[];
  readonly chatMs: readonly number[];
  readonly bareMs: readonly number[];
  /** What was no 200, and how often. */
  readonly failures: Readonly<Record<string, number>>;
}

export interface BystanderData {
  readonly url: string;
  readonly bareUrl: string;
  readonly from: string;
}

const HEALTH_EVERY_MS = 50;
const CHAT_EVERY_MS = 200;
const TIMEOUT_MS = 30_000;
const QUESTION = JSON.stringify({ messages: [{ role: 'user', content: 'Hi there?' }], max_tokens: 2 });

const { url, bareUrl, from }: BystanderData = workerData;
const failures: Record<string, number> = {};
const healthMs: number[] = [];
const chatMs: number[] = [];
const bareMs: number[] = [];
let going = true;

function ask(address: string, method: string, body: string): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  const headers = body === '' ? {} : { 'content-type': 'application/json' };
  const options = { localAddress: from, method, headers, agent: false, timeout: TIMEOUT_MS } as const;
  const asking = request(address, options, (response) => {
    response.resume();
    response.on('close', () => resolve(`${response.statusCode}`));
  });
  asking.on('timeout', () => asking.destroy(new Error('no answer')));
  asking.on('error', (error: Error & { readonly code?: string }) => resolve(error.code ?? error.message));
  asking.end(body);
  return promise;
}

async function watch(address: string, everyMs: number, times: number[], method = 'GET', body = '') {
  while (going) {
    const startedAt = performance.now();
    const ending = await ask(address, method, body);
    times.push(performance.now() - startedAt);
    const failure = `${new URL(address).pathname} ${ending}`;
    if (ending !== '200') failures[failure] = (failures[failure] ?? 0) + 1;
    await wait(everyMs);
  }
}

parentPort?.once('message', () => {
  going = false;
});
await Promise.all([
  watch(`${url}/health`, HEALTH_EVERY_MS, healthMs),
  watch(bareUrl, HEALTH_EVERY_MS, bareMs),
  watch(`${url}/v1/chat/completions`, CHAT_EVERY_MS, chatMs, 'POST', QUESTION),
]);
const ascending = (a: number, b: number) => a - b;
const seen: Seen = {
  healthMs: healthMs.toSorted(ascending),
  chatMs: chatMs.toSorted(ascending),
  bareMs: bareMs.toSorted(ascending),
  failures,
};
parentPort?.postMessage(seen);
