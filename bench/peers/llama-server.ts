/** llama.cpp's own server, from a file that `LLAMA_SERVER` names: started on a free port, asked over HTTP. */
import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { createServer } from 'node:net';
import process from 'node:process';
import { setTimeout as sleep } from 'node:timers/promises';
import * as z from 'zod';
import type { LlamaAnswer, LlamaPeer, LlamaRequest, LlamaSize, LlamaTask } from './llama-request.ts';

export const LLAMA_SERVER = 'llama.cpp server';

const START_TIMEOUT_MS = 120_000;
const ASK_AGAIN_MS = 50;
const ENDING = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** Of its standard error, what an error quotes. */
const QUOTED = 2000;

const eventSchema = z.looseObject({
  tokens: z.array(z.int()).default([]),
  stop: z.boolean(),
  /** So far. */
  tokens_predicted: z.int().default(0),
});

/** A server that is ready. */
export interface LlamaProcess {
  readonly url: string;
  readonly pid: number;
  stop(): Promise<void>;
}

export async function startLlamaServer(program: string, gguf: string, size: LlamaSize): Promise<LlamaPeer> {
  const { url, pid, stop } = await startLlamaProcess(program, gguf, size);
  return { name: LLAMA_SERVER, pid, answer: (task) => answerAll(url, task), stop };
}

/** @param vision file of its vision tower, where it is shown pictures */
export async function startLlamaProcess(
  program: string,
  gguf: string,
  size: LlamaSize,
  vision?: string,
): Promise<LlamaProcess> {
  const port = await freePort();
  const args = [...argumentsFor(gguf, size, port), ...(vision === undefined ? [] : ['--mmproj', vision])];
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  endWithThisProcess(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-QUOTED);
  });
  const url = `http://127.0.0.1:${port}`;
  try {
    await once(child, 'spawn');
    await ready(child, url);
  } catch (cause) {
    child.kill();
    throw new Error(`${program} did not start: ${cause instanceof Error ? cause.message : cause}\n${said}`, {
      cause,
    });
  }
  return {
    url,
    pid: child.pid ?? 0,
    async stop() {
      if (child.exitCode !== null || child.signalCode !== null) return;
      const exited = once(child, 'exit');
      child.kill();
      await exited;
    },
  };
}

/** Whatever ends this process takes it along. */
function endWithThisProcess(child: ChildProcess): void {
  const kill = () => child.kill();
  const onSignal = (signal: NodeJS.Signals) => {
    kill();
    // Nobody listens any more, so that it does what it does by default.
    process.kill(process.pid, signal);
  };
  process.once('exit', kill);
  for (const signal of ENDING) process.once(signal, onSignal);
  child.once('exit', () => {
    process.off('exit', kill);
    for (const signal of ENDING) process.off(signal, onSignal);
  });
}

/** As it is by default, but for what the other sides do not have either: prompts kept from one turn to the next. */
function argumentsFor(gguf: string, { slots, tokens, threads }: LlamaSize, port: number): string[] {
  const values = {
    '--model': gguf,
    '--host': '127.0.0.1',
    '--port': port,
    '--ctx-size': slots * tokens,
    '--parallel': slots,
    '--threads': threads,
    '--cache-ram': 0,
  };
  return Object.entries(values).flatMap(([name, value]) => [name, String(value)]);
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('no port was given');
  return address.port;
}

async function ready(child: ChildProcess, url: string): Promise<void> {
  const until = performance.now() + START_TIMEOUT_MS;
  while (performance.now() < until) {
    if (child.exitCode !== null || child.signalCode !== null) {
      throw new Error(`it ended (${child.exitCode ?? child.signalCode})`);
    }
    const healthy = await fetch(`${url}/health`).then(
      ({ ok }) => ok,
      () => false,
    );
    if (healthy) return;
    await sleep(ASK_AGAIN_MS);
  }
  throw new Error(`it was not ready after ${START_TIMEOUT_MS / 1000} s`);
}

async function answerAll(url: string, { requests, knowsPrompts = false }: LlamaTask): Promise<LlamaAnswer> {
  const since = performance.now();
  const answers = await Promise.all(requests.map((request) => complete(url, request, knowsPrompts, since)));
  return {
    ms: performance.now() - since,
    tokenIds: answers.map(({ tokenIds }) => tokenIds),
    arrivals: answers.map(({ arrivals }) => arrivals),
  };
}

async function complete(url: string, { ids, maxTokens }: LlamaRequest, knowsPrompts: boolean, since: number) {
  const response = await fetch(`${url}/completion`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      prompt: ids,
      n_predict: maxTokens,
      temperature: 0,
      ignore_eos: true,
      cache_prompt: knowsPrompts,
      return_tokens: true,
      stream: true,
    }),
  });
  if (!response.ok || response.body === null) {
    throw new Error(`${LLAMA_SERVER} answered ${response.status}: ${await response.text()}`);
  }
  const tokenIds: number[] = [];
  const arrivals: number[] = [];
  for await (const line of linesOf(response.body.pipeThrough(new TextDecoderStream()))) {
    if (!line.startsWith('data: ')) continue;
    const { tokens, stop, tokens_predicted } = eventSchema.parse(JSON.parse(line.slice('data: '.length)));
    if (!stop) tokenIds.push(...tokens);
    // A token that ends inside a character is told with the next one, and at the limit makes the answer longer.
    while (arrivals.length < Math.min(tokens_predicted, maxTokens)) arrivals.push(performance.now() - since);
    if (stop) break;
  }
  return { tokenIds, arrivals };
}

/** Of a body that comes bit by bit. */
export async function* linesOf(chunks: AsyncIterable<string>): AsyncGenerator<string> {
  let rest = '';
  for await (const chunk of chunks) {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  if (rest !== '') yield rest;
}
