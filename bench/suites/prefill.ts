/** Prompts through the decoder graph: what the first token waits for. */
import { ModelRunner } from '../../actors/pd/runner/model-runner.ts';
import { BareDecoder } from '../bare/bare-decoder.ts';
import { openEmbeddedModel, promptOf, THREADS } from '../embedded-model.ts';
import { measure } from '../measure.ts';
import { prefillRow } from '../prefill-row.ts';
import type { Suite, Table } from '../suite.ts';

const PROMPT_LENGTHS = [64, 512];

export const prefillSuite: Suite = {
  name: 'prefill',
  description: 'prompts of 64 and 512 tokens against bare session.run',
  async run(options) {
    const model = await openEmbeddedModel();
    const runner = await ModelRunner.load(model, { threads: THREADS, maxRunning: 8, prefixCacheBytes: 0 });
    const bare = await BareDecoder.load(model, THREADS);
    try {
      const tables: Table[] = [];
      for (const length of PROMPT_LENGTHS) {
        const prompt = promptOf(length, model);
        const ours = async () => {
          await prefillRow(runner, prompt);
          runner.remove(0);
        };
        const tasks = [
          { name: 'session.run', run: () => bare.prefill([prompt]) },
          { name: 'PD', run: ours },
        ] as const;
        tables.push(await measure(`Prefill, ${length} tokens`, 'prompt', [...tasks], options));
      }
      return { tables };
    } finally {
      await runner.release();
      await bare.release();
    }
  },
};
