/** Greedy tokens on the GPU against those of the CPU, on prompts of every kind. */
import process from 'node:process';
import { EMBEDDED_MODEL } from '../embedded-model.ts';
import type { Precision } from '../generated-model/precision.ts';
import type { Claim, SuiteOptions } from '../suite.ts';
import { gpuPrompts } from './gpu-prompts.ts';
import { CPU, type Engine, GPU, startEngine } from './sides.ts';

const SHOWN = 3;

export async function greedyParity({ quick }: SuiteOptions, dtype: Precision): Promise<Claim[]> {
  const requests = gpuPrompts(quick);
  const engine = { model: EMBEDDED_MODEL, dtype };
  const answersOf = async (from: Engine, inFlight: number) =>
    (await from.ask({ requests, inFlight })).answers.map(({ tokenIds }) => tokenIds.join(' '));
  const cpu = await startEngine(CPU, engine);
  const expected = await answersOf(cpu, 1).finally(() => cpu.stop());
  const gpu = await startEngine(GPU, engine);
  try {
    const claims: Claim[] = [];
    for (const inFlight of [1, 16]) {
      const answers = await answersOf(gpu, inFlight);
      const different = requests.flatMap((request, index) =>
        answers[index] === expected[index] ? [] : [{ request, index }],
      );
      for (const { request, index } of different.slice(0, SHOWN)) {
        const asked = JSON.stringify(request.messages);
        process.stderr.write(`  ${asked}\n    GPU ${answers[index]}\n    CPU ${expected[index]}\n`);
      }
      claims.push({
        text: `Of ${requests.length} prompts, ${inFlight} at a time, greedy tokens on the GPU equal the CPU's, ${dtype}`,
        measured: 100 * (1 - different.length / requests.length),
        unit: ' %',
        goal: { atLeast: 99 },
      });
    }
    return claims;
  } finally {
    await gpu.stop();
  }
}
