/**
 * node-llama-cpp with the library that its package brings for this platform, in a process of its own.
 *
 *     node node-llama-child.ts GGUF SLOTS TOKENS THREADS
 */
import process from 'node:process';
import type { Llama, Token } from 'node-llama-cpp';
import { type ChildFailure, failureOf } from '../asked-child.ts';
import type { LlamaAnswer, LlamaRequest, LlamaTask } from './llama-request.ts';
import { NODE_LLAMA_MISSING } from './node-llama.ts';

const [modelPath = '', ...numbers] = process.argv.slice(2);
const [slots = 1, tokens = 1, threads = 1] = numbers.map(Number);

const llama = await load().catch((error: unknown) => {
  fail({ ...failureOf(error), code: NODE_LLAMA_MISSING });
});
if (llama !== undefined) await serve(llama).catch((error: unknown) => fail(failureOf(error)));

function fail(failure: ChildFailure): void {
  process.send?.(failure);
  process.disconnect?.();
}

/** Nothing is built, nothing fetched. */
async function load(): Promise<Llama> {
  const { getLlama, LlamaLogLevel } = await import('node-llama-cpp');
  return await getLlama({
    gpu: false,
    build: 'never',
    skipDownload: true,
    maxThreads: threads,
    logLevel: LlamaLogLevel.error,
  });
}

async function serve(llama: Llama): Promise<void> {
  const model = await llama.loadModel({ modelPath, gpuLayers: 0 });
  const context = await model.createContext({
    sequences: slots,
    contextSize: tokens,
    threads: { ideal: threads, min: threads },
  });

  const generate = async ({ ids, maxTokens }: LlamaRequest, since: number) => {
    const sequence = context.getSequence();
    const tokenIds: number[] = [];
    const arrivals: number[] = [];
    try {
      // Branded numbers.
      const prompt = ids as readonly number[] as Token[];
      for await (const token of sequence.evaluate(prompt, { temperature: 0, yieldEogToken: true })) {
        tokenIds.push(token);
        arrivals.push(performance.now() - since);
        if (tokenIds.length === maxTokens) break;
      }
    } finally {
      sequence.dispose();
    }
    return { tokenIds, arrivals };
  };

  process.on('message', async ({ requests }: LlamaTask) => {
    const since = performance.now();
    try {
      const answers = await Promise.all(requests.map((request) => generate(request, since)));
      process.send?.({
        ms: performance.now() - since,
        tokenIds: answers.map(({ tokenIds }) => tokenIds),
        arrivals: answers.map(({ arrivals }) => arrivals),
      } satisfies LlamaAnswer);
    } catch (error) {
      process.send?.(failureOf(error));
    }
  });
  process.send?.('ready');
}
