/** Several answers that go on from one prompt's keys and values on the GPU. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import { GpuMemory } from '../../../actors/inference/gpu/gpu-memory.ts';
import { groupQueryEngine } from '../../actors/pd/support/group-query.ts';
import { envelope, RecordingSink, runToEnd } from '../../actors/pd/support/requests.ts';

const SAMPLED = { n: 3, temperature: 1, seed: 7, maxTokens: 5, logprobs: true, topLogprobs: 2 };

async function answers(gpu?: GpuMemory) {
  const engine = await groupQueryEngine({ kind: 'plain', maxRunning: 8, ...(gpu && { gpu }) });
  const sinks = [[5, 9, 1], [60]].map((prompt) => {
    const sink = new RecordingSink();
    engine.submit({ envelope: envelope(prompt, SAMPLED), images: [] }, sink);
    return sink;
  });
  const left = new RecordingSink();
  engine.submit({ envelope: envelope([8, 8, 31], SAMPLED), images: [] }, left);
  await engine.step();
  left.cancelled = true;
  await runToEnd(engine);
  assert.equal(gpu?.stats().liveBuffers ?? 0, 0);
  await engine.dispose();
  return sinks.map(({ chunks }) =>
    [0, 1, 2].map((index) =>
      chunks
        .filter((chunk) => chunk.index === index)
        .flatMap(({ logprobs = [] }) => logprobs.map(({ id, top }) => [id, ...top.map((one) => one.id)])),
    ),
  );
}

it('give the tokens that they give on the CPU, and leave no buffer behind', async () => {
  const onCpu = await answers();
  assert.equal(onCpu[0]?.[2]?.length, SAMPLED.maxTokens);
  const gpu = await GpuMemory.own('webgpu', 'a test');
  try {
    assert.deepEqual(await answers(gpu), onCpu);
  } finally {
    gpu.release();
  }
});
