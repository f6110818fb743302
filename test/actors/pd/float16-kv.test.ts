import assert from 'node:assert/strict';
import { it } from 'node:test';
import { useUint16ForFloat16 } from '../../../actors/inference/half-precision.ts';
import { groupQueryEngine } from './support/group-query.ts';
import { envelope, RecordingSink, runToEnd } from './support/requests.ts';

it('keys and values in float16: a ragged batch gives the tokens that each request gets alone', async () => {
  // Each test file is a process of its own: the missing global harms nobody else.
  useUint16ForFloat16();
  const run = async (prompts: readonly (readonly number[])[]): Promise<number[][]> => {
    const engine = await groupQueryEngine({ kvType: 'float16', kind: 'plain', maxRunning: 4 });
    const sinks = prompts.map((prompt) => {
      const sink = new RecordingSink();
      engine.submit({ envelope: envelope(prompt, { maxTokens: 24 }), images: [] }, sink);
      return sink;
    });
    await runToEnd(engine);
    await engine.dispose();
    return sinks.map((sink) => sink.tokenIds);
  };
  const prompts = [[5, 9, 1], [60], [8, 8, 31, 2, 40, 17, 3]];
  const alone: number[][] = [];
  for (const prompt of prompts) alone.push(...(await run([prompt])));
  assert.equal(alone[0]?.length, 24);
  assert.deepEqual(await run(prompts), alone);
});
