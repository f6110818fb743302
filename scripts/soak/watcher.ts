/**
 * Looks at a server's health ten times a second and at its memory once, on a thread of its own: the load's own delays
 * must not be taken for the server's.
 */
import { Agent, get } from 'node:http';
import { parentPort, workerData } from 'node:worker_threads';

export interface Watched {
  /** Milliseconds of each look at /health, ascending. */
  readonly healthMs: readonly number[];
  readonly healthFailures: number;
  /** The same of a bare server in another process, looked at in turn: the machine's part of it. */
  readonly bareMs: readonly number[];
  /** Resident bytes of the server's process, one a second. */
  readonly residentBytes: readonly number[];
}

const HEALTH_EVERY_MS = 100;
const MEMORY_EVERY = 10;

const { url, bareUrl } = workerData as { readonly url: string; readonly bareUrl: string };
const agent = new Agent({ keepAlive: true });
const healthMs: number[] = [];
const bareMs: number[] = [];
const residentBytes: number[] = [];
let healthFailures = 0;
let looks = 0;

function read(address: string): Promise<string> {
  return new Promise((resolve, reject) => {
    get(address, { agent }, (response) => {
      let text = '';
      response.setEncoding('utf8').on('data', (piece: string) => {
        text += piece;
      });
      response.on('end', () => resolve(text));
    }).on('error', reject);
  });
}

async function timed(address: string): Promise<number> {
  const startedAt = performance.now();
  await read(address);
  return performance.now() - startedAt;
}

async function look(): Promise<void> {
  try {
    healthMs.push(await timed(`${url}/health`));
    bareMs.push(await timed(bareUrl));
    if (looks++ % MEMORY_EVERY !== 0) return;
    const bytes = /^process_resident_memory_bytes(?:{.*})? (\d+)/m.exec(await read(`${url}/metrics`))?.[1];
    if (bytes !== undefined) residentBytes.push(Number(bytes));
  } catch {
    healthFailures += 1;
  }
}

const timer = setInterval(() => void look(), HEALTH_EVERY_MS);
parentPort?.once('message', () => {
  clearInterval(timer);
  agent.destroy();
  const watched: Watched = {
    healthMs: healthMs.toSorted((a, b) => a - b),
    bareMs: bareMs.toSorted((a, b) => a - b),
    healthFailures,
    residentBytes,
  };
  parentPort?.postMessage(watched);
});
