import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import { Troupe } from '../../../src/index.ts';
import { golden, goldenMessages } from '../../support/golden.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';

const VOCABULARY = 459;
const FLOAT_BYTES = 4;

describe('the aggregated actor on WebGPU', () => {
  let troupe: Troupe;

  before(async () => {
    troupe = await Troupe.start({ model: PILOT_MODEL, device: 'webgpu' });
  });
  after(() => troupe.stop());

  const step = () => troupe.chat({ messages: [{ role: 'user', content: 'Hello?' }], maxTokens: 1 });

  async function gpu() {
    const stats = await troupe.stats();
    assert(stats.gpu !== undefined);
    return stats.gpu;
  }

  it('hands only logits to the host, and embeddings to nobody', async () => {
    const before = await gpu();
    const { usage, bytesBetweenActors, tokenIds } = await troupe.chat({
      messages: goldenMessages(golden(5)),
    });
    assert.deepEqual(tokenIds, golden(5).tokenIds);
    assert.deepEqual(bytesBetweenActors.embeddings, { moved: 0, copied: 0 });
    // This export gives the logits of all positions; the end-of-sequence token is one step more than tokens come out.
    const positions = usage.promptTokens + usage.completionTokens;
    const after = await gpu();
    assert.equal(after.deviceToHostBytes - before.deviceToHostBytes, positions * VOCABULARY * FLOAT_BYTES);
    const { arenas, caches } = await troupe.stats();
    assert.equal(arenas.find(({ name }) => name === 'embeddings')?.usedBytes, 0);
    assert.equal(caches[0]?.entries, 0);
  });

  it('gives requests of different lengths, which join and leave, the answers that PyTorch gives each', async () => {
    // Of 14, 2, 3, 5 and 2 tokens; prompts of 42 to 45.
    const asked = [0, 1, 2, 5, 19].map(golden);
    const answers = await Promise.all(asked.map((one) => troupe.chat({ messages: goldenMessages(one) })));
    assert.deepEqual(
      answers.map(({ tokenIds }) => tokenIds),
      asked.map(({ tokenIds }) => tokenIds),
    );
    const { actors } = await troupe.stats();
    const { decodeRows, decodeSteps } = actors.find(({ name }) => name === 'aggregated/0')?.stats ?? {};
    assert(Number(decodeRows) > Number(decodeSteps), 'some steps decoded several rows');
    assert.equal((await gpu()).liveBuffers, 0);
  });

  it('frees the buffers of a request that is cancelled between tokens, and answers the others', async () => {
    const controller = new AbortController();
    const cancelled = troupe.stream({ messages: goldenMessages(golden(3)), signal: controller.signal });
    const other = troupe.chat({ messages: goldenMessages(golden(4)) });
    await assert.rejects(async () => {
      for await (const _ of cancelled) controller.abort();
      await cancelled.result;
    });
    assert.deepEqual((await other).tokenIds, golden(4).tokenIds);
    // Who has left is dropped when a step begins: the last one may have begun before the actor heard of it.
    await step();
    assert.equal((await gpu()).liveBuffers, 0);
  });

  it('frees the buffers of a request that fails at its deadline', async () => {
    const late = troupe.chat({ messages: goldenMessages(golden(5)), timeoutMs: 1 });
    await assert.rejects(late, { code: 'DEADLINE_EXCEEDED' });
    await step();
    assert.equal((await gpu()).liveBuffers, 0);
  });

  it('refuses a second engine in the same process, and says why', async () => {
    await assert.rejects(Troupe.start({ model: PILOT_MODEL, device: 'webgpu' }), (error: Error) => {
      assert.equal('code' in error && error.code, 'GPU_IN_USE');
      assert.match(error.message, /two threads with GPU sessions in one process crash it/);
      return true;
    });
  });

  it('comes back after a crash: the successor gets the GPU when the thread before it has ended', async () => {
    const up = new Promise<void>((resolve) => troupe.events.once('actor:up', () => resolve()));
    assert(troupe.crash('aggregated/0'));
    await up;
    const { tokenIds } = await troupe.chat({ messages: goldenMessages(golden(1)) });
    assert.deepEqual(tokenIds, golden(1).tokenIds);
    assert.equal((await gpu()).liveBuffers, 0);
  });
});
