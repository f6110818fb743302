/**
 * The embedded model in float16 on a GPU: its graphs are made from those in 32 bits, and the engine answers with them, keys
 * and values in 16 bits on the GPU, against the CPU in 16 and in 32 bits. It is about answers, not about times.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import process from 'node:process';
import { ChildError } from '../asked-child.ts';
import { EMBEDDED_MODEL } from '../embedded-model.ts';
import type { EngineAnswer } from '../gpu/engine-task.ts';
import { gpuPrompts } from '../gpu/gpu-prompts.ts';
import { CPU, GPU, type Side, startEngine } from '../gpu/sides.ts';
import { whyNoGpu } from '../gpu/why-no-gpu.ts';
import { makeHalfModel } from '../half-model/make-half-model.ts';
import type { Claim, Suite, SuiteOptions, SuiteResult } from '../suite.ts';

const IN_FLIGHT = 16;
/** A near tie may go the other way when it is rounded to 16 bits. */
const MOSTLY = 95;
const FLOAT_BYTES = 4;
/** See `likeliest-on-gpu.ts`. */
const NUMBERS_A_ROW = 3;
/** onnxruntime's own words for a device without float16 in its shaders. */
const NO_FLOAT16 = /requires f16/;

export const gpuFp16Suite: Suite = {
  name: 'gpu-fp16',
  description: 'the embedded model in float16 on a GPU (WebGPU): its tokens, and what crosses',
  shows:
    "tokens like the CPU's; only what is said of the likeliest comes to the host, and no buffer is left; skipped without a GPU that has float16",
  async run(options) {
    const reason = await whyNoGpu();
    if (reason !== undefined) return { skipped: reason };
    const folder = await mkdtemp(join(tmpdir(), 'troupe-fp16-'));
    try {
      await makeHalfModel(EMBEDDED_MODEL, folder);
      return await compare(folder, options);
    } catch (error) {
      if (error instanceof ChildError && NO_FLOAT16.test(error.message)) {
        return { skipped: 'this GPU has no float16 in its shaders' };
      }
      throw error;
    } finally {
      await rm(folder, { recursive: true, force: true });
    }
  },
};

async function compare(half: string, { quick }: SuiteOptions): Promise<SuiteResult> {
  const requests = gpuPrompts(quick);
  const ask = async (side: Side, model: string, dtype: 'fp16' | 'fp32'): Promise<EngineAnswer> => {
    const engine = await startEngine(side, { model, dtype });
    try {
      const answer = await engine.ask({ requests, inFlight: IN_FLIGHT });
      process.stderr.write(`  ${side.name}, ${dtype}: ${requests.length} answers\n`);
      return answer;
    } finally {
      await engine.stop();
    }
  };
  const gpu = await ask(GPU, half, 'fp16');
  const cpuHalf = await ask(CPU, half, 'fp16');
  const cpu = await ask(CPU, EMBEDDED_MODEL, 'fp32');
  const equal = (name: string, other: EngineAnswer): Claim => ({
    text: `Of ${requests.length} prompts, greedy tokens in fp16 on the GPU equal ${name}`,
    measured: (100 * sameAnswers(gpu, other)) / requests.length,
    unit: ' %',
    goal: { atLeast: MOSTLY },
  });
  const none = (text: string, measured: number, unit: string): Claim => ({
    text,
    measured,
    unit,
    goal: { atMost: 0 },
  });
  const title = 'Most tokens of a prompt in a run on the GPU, fp16';
  const rows = [{ name: GPU.name, value: gpu.promptTokensPerRun, unit: ' tokens' }];
  const claims = [
    equal("the CPU's in fp16", cpuHalf),
    equal("the CPU's in fp32", cpu),
    none(
      'Bytes from the GPU beside three numbers of each row',
      Math.abs(gpu.deviceToHostBytes - gpu.logitRows * NUMBERS_A_ROW * FLOAT_BYTES),
      ' B',
    ),
    none('Buffers left on the GPU', gpu.liveBuffers, ''),
    none(
      'Bytes of image embeddings that an actor handed to another',
      gpu.answers.reduce((sum, { embeddingBytes }) => sum + embeddingBytes, 0),
      ' B',
    ),
  ];
  return { claims, figures: [{ title, rows }] };
}

function sameAnswers(one: EngineAnswer, other: EngineAnswer): number {
  return one.answers.filter(
    ({ tokenIds }, index) => tokenIds.join() === other.answers[index]?.tokenIds.join(),
  ).length;
}
