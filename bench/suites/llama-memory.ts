/**
 * Anonymous memory of an engine that has answered 16 prompts of 600 tokens at once, beside llama.cpp's after the same, and what
 * the engine holds it for. Two differences are by design: keys and values have 32 bits here, since onnxruntime has no kernels for
 * fewer on a processor, and 16 there; and prompts stay in a cache of their own here, where there they stay in their slots.
 */
import { median } from 'simple-statistics';
import { AskedChild } from '../asked-child.ts';
import { BenchModel } from '../bench-model.ts';
import { buildPackage } from '../build-package.ts';
import { LlamaPeers } from '../llama/llama-peers.ts';
import { askLlama } from '../llama/llama-run.ts';
import { longCalls } from '../measure.ts';
import type { EngineMemory, EngineMemoryTask } from '../memory/engine-memory-child.ts';
import type { PeerRequest } from '../peers/peer-request.ts';
import { processMemory } from '../process-memory.ts';
import type { Claim, FigureTable, Suite } from '../suite.ts';

const REQUESTS = 16;
const SIZES = { prompt: 600, output: 128 } as const;
const QUICK_SIZES = { prompt: 60, output: 8 } as const;
const MEBIBYTE = 2 ** 20;

const SCRIPT = new URL('../memory/engine-memory-child.ts', import.meta.url);

export const llamaMemorySuite: Suite = {
  name: 'llama-memory',
  description: 'anonymous memory after 16 prompts of 600 tokens at once, beside llama.cpp',
  shows: '<= 1.5x as much as llama.cpp (/proc/PID/smaps_rollup)',
  async run(options) {
    const { prompt, output } = options.quick ? QUICK_SIZES : SIZES;
    const model = await BenchModel.open(options, options.dtype ?? 'q4');
    const { rounds } = longCalls(options);
    buildPackage();
    const ours: EngineMemory[] = [];
    const bare: EngineMemory[] = [];
    const theirs = new Map<string, number[]>();
    await using peers = await LlamaPeers.start(model.directory, {
      slots: REQUESTS,
      tokens: prompt + output + 1,
    });
    for (let round = 0; round < rounds; round++) {
      const requests = model.prompts.requests(REQUESTS, prompt, output);
      ours.push(await engineMemory(model, requests));
      bare.push(await engineMemory(model, requests, 0));
      for (const peer of peers.all) {
        await askLlama(peer, requests, model.prompts);
        theirs.set(peer.name, [...(theirs.get(peer.name) ?? []), processMemory(peer.pid).anonymous]);
      }
    }
    const row = (name: string, bytes: readonly number[]) => ({
      name,
      value: median([...bytes]) / MEBIBYTE,
      unit: ' MiB',
    });
    const of = (figure: keyof EngineMemory, from = ours) => from.map((memory) => memory[figure]);
    const figures: FigureTable = {
      title: `Anonymous memory after ${REQUESTS} requests of ${prompt} + ${output} tokens at once, ${model.label}`,
      rows: [
        row('Troupe', of('anonymous')),
        row('after two seconds without work', of('settled')),
        row('before the first request', of('started')),
        row('keys and values of sequences', of('kv')),
        row('keys and values of prompts that may come again', of('prefixes')),
        row('V8 heaps', of('heaps')),
        row('Troupe that keeps no prompts', of('anonymous', bare)),
        row('after two seconds without work', of('settled', bare)),
        ...[...theirs].map(([name, bytes]) => row(name, bytes)),
      ],
    };
    const claims = [...theirs].flatMap(([name, bytes]) =>
      (['anonymous', 'settled'] as const).map(
        (figure): Claim => ({
          text: `Anonymous memory ${figure === 'settled' ? 'two seconds ' : ''}after ${REQUESTS} requests, against ${name}`,
          measured: median(of(figure)) / median(bytes),
          unit: '×',
          goal: { atMost: 1.5 },
        }),
      ),
    );
    return { figures: [figures], claims };
  },
};

/** @param prefixCacheBytes the engine's own choice when absent */
async function engineMemory(
  { directory, dtype }: BenchModel,
  requests: readonly PeerRequest[],
  prefixCacheBytes?: number,
): Promise<EngineMemory> {
  const args = [directory.path, dtype, ...(prefixCacheBytes === undefined ? [] : [String(prefixCacheBytes)])];
  const child = await AskedChild.start<EngineMemoryTask, EngineMemory>('an engine', SCRIPT, args);
  try {
    return await child.ask({ requests });
  } finally {
    await child.stop();
  }
}
