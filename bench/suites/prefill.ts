/** Prompts through the decoder graph: what the first token waits for. */
import { ModelRunner } from '../../actors/pd/runner/model-runner.ts';
import { BareDecoder } from '../bare/bare-decoder.ts';
import { graphsModel } from '../bench-model.ts';
import { promptOf, THREADS } from '../embedded-model.ts';
import { measure } from '../measure.ts';
import { prefillRow } from '../prefill-row.ts';
import type { Suite, Table } from '../suite.ts';

const PROMPT_LENGTHS = [64, 512];

export const prefillSuite: Suite = {
  name: 'prefill',
  description: 'prompts of 64 and 512 tokens against bare session.run',
  async run(options) {
    const { directory: model, title, effort } = await graphsModel(options);
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
        if (effort !== undefined) for (const { run } of tasks) await run();
        const name = `Prefill, ${length} tokens${title}`;
        tables.push(await measure(name, 'prompt', [...tasks], options, effort));
      }
      return { tables };
    } finally {
      await runner.release();
      await bare.release();
    }
  },
};
