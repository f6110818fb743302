/**
 * Decode steps on top of a prompt, at batch 1 and 8. The prompts' own time does not count. llama.cpp is asked as its callers ask
 * it, so that its rows contain its sampling, and what brings tokens to the caller.
 */
import { ModelRunner } from '../../actors/pd/runner/model-runner.ts';
import { BareDecoder } from '../bare/bare-decoder.ts';
import { graphsModel } from '../bench-model.ts';
import { promptOf, THREADS } from '../embedded-model.ts';
import { LlamaPeers } from '../llama/llama-peers.ts';
import { turnOf } from '../llama/llama-run.ts';
import { measure, type Task } from '../measure.ts';
import type { LlamaPeer, LlamaRequest } from '../peers/llama-request.ts';
import { prefillRow } from '../prefill-row.ts';
import type { Suite } from '../suite.ts';

const PROMPT_LENGTH = 100;
const STEPS = 32;
/** More than the steps: eight answers do not begin at the same time, and what counts is when all of them run. */
const LLAMA_TOKENS = 2 * STEPS;
const TOKEN = 70;

export const decodeSuite: Suite = {
  name: 'decode',
  description: 'decode steps at batch 1 and 8 against a bare session.run loop and llama.cpp',
  async run(options) {
    const { directory: model, title: of, effort } = await graphsModel(options);
    const prompt = promptOf(PROMPT_LENGTH, model);
    const runner = await ModelRunner.load(model, { threads: THREADS, maxRunning: 8, prefixCacheBytes: 0 });
    const bare = await BareDecoder.load(model, THREADS);

    const size = { slots: 8, tokens: PROMPT_LENGTH + LLAMA_TOKENS + 1 };
    await using llamas = await LlamaPeers.start(model, size);

    const bareTask = (batch: number): Task => ({
      name: `session.run loop, batch ${batch}`,
      operations: STEPS * batch,
      run: async () => {
        await bare.prefill(new Array<Int32Array>(batch).fill(prompt), PROMPT_LENGTH + STEPS);
        const tokens = new Int32Array(batch).fill(TOKEN);
        return await timed(() => bare.step(tokens));
      },
    });
    const ourTask = (batch: number): Task => ({
      name: `PD, batch ${batch}`,
      operations: STEPS * batch,
      run: async () => {
        for (let row = 0; row < batch; row++) await prefillRow(runner, prompt);
        const tokens = new Int32Array(batch).fill(TOKEN);
        const ms = await timed(() => runner.decode(tokens));
        while (runner.rows > 0) runner.remove(runner.rows - 1);
        return ms;
      },
    });
    const llamaTask = (llama: LlamaPeer, batch: number): Task => ({
      name: `${llama.name}, batch ${batch}`,
      operations: STEPS * batch,
      run: async () => {
        const request = { ids: [...prompt], maxTokens: LLAMA_TOKENS };
        const requests = new Array<LlamaRequest>(batch).fill(request);
        const { tokenMs } = turnOf(llama.name, await llama.answer({ requests }), requests);
        return tokenMs * STEPS * batch;
      },
    });
    try {
      const title = `Decode, after ${PROMPT_LENGTH} tokens${of}`;
      const ours = [bareTask(1), ourTask(1), bareTask(8), ourTask(8)] as const;
      const theirs = [1, 8].flatMap((batch) => llamas.all.map((llama) => llamaTask(llama, batch)));
      const tasks = [...ours, ...theirs] as const;
      if (effort !== undefined) for (const { run } of tasks) await run();
      return { tables: [await measure(title, 'token', [...tasks], options, effort)] };
    } finally {
      await runner.release();
      await bare.release();
    }
  },
};

async function timed(step: () => Promise<unknown>): Promise<number> {
  const startedAt = performance.now();
  for (let i = 0; i < STEPS; i++) await step();
  return performance.now() - startedAt;
}
