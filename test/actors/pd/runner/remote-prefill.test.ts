import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import type { PdEngine } from '../../../../actors/pd/engine/engine.ts';
import type { PrefillHelp } from '../../../../actors/protocols.ts';
import { groupQueryEngine } from '../support/group-query.ts';
import { encodedGoldens, pilotEngine } from '../support/pilot.ts';
import { PromptHelper, turn } from '../support/prompt-helper.ts';
import { askTokens, question, RecordingSink, runToEnd } from '../support/requests.ts';

async function engineWith(
  helper: PromptHelper,
  options: { prefixCacheBytes?: number } = {},
): Promise<PdEngine> {
  return await groupQueryEngine({ ...options, help: helper.help });
}

/** An answer that is being read, and a prompt of 35 tokens beside it, of which a first part has been sent. */
async function beside(helper: PromptHelper, engine: PdEngine) {
  const reader = askTokens(engine, 3, 60);
  await engine.step();
  await engine.step();
  const long = askTokens(engine, 35, 4);
  await engine.step();
  assert.deepEqual(helper.parts, [10]);
  return { reader, long };
}

async function answerAlone(promptTokens: number, maxTokens: number): Promise<readonly number[]> {
  const engine = await groupQueryEngine();
  const sink = askTokens(engine, promptTokens, maxTokens);
  await runToEnd(engine);
  await engine.dispose();
  return sink.tokenIds;
}

describe('a prompt that another actor runs', () => {
  it('does not hold up an answer that is being read', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    const { reader, long } = await beside(helper, engine);
    const before = reader.tokenIds.length;
    for (let step = 1; step <= 8; step++) {
      await engine.step();
      assert.equal(reader.tokenIds.length, before + step);
    }
    assert.deepEqual([helper.parts, long.tokenIds], [[10], []]);
    await helper.finishAll();
    await runToEnd(engine);
    await engine.dispose();
  });

  it('goes there part by part, and its answer is the one it gets alone', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    const { reader, long } = await beside(helper, engine);
    for (let part = 0; part < 4; part++) {
      assert.ok(helper.busy);
      await helper.finish();
      await engine.step();
    }
    assert.deepEqual(helper.parts, [10, 10, 10, 5]);
    await runToEnd(engine);
    assert.deepEqual(long.tokenIds, await answerAlone(35, 4));
    assert.deepEqual(reader.tokenIds, await answerAlone(3, 60));
    await engine.dispose();
  });

  it('is run here when nobody reads an answer', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    const whole = askTokens(engine, 3, 30, false);
    await engine.step();
    const long = askTokens(engine, 35, 4);
    await runToEnd(engine);
    assert.deepEqual(helper.parts, []);
    assert.deepEqual(long.tokenIds, await answerAlone(35, 4));
    assert.equal(whole.tokenIds.length, 30);
    await engine.dispose();
  });

  it('is run here from its start when the other fails', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    const { reader, long } = await beside(helper, engine);
    await helper.finish();
    await engine.step();
    await helper.fail();
    await runToEnd(engine);
    assert.deepEqual(helper.parts, [10, 10]);
    assert.deepEqual(long.tokenIds, await answerAlone(35, 4));
    assert.deepEqual(reader.codes, []);
    await engine.dispose();
  });

  it('is run here while nobody is up', async () => {
    const helper = new PromptHelper();
    helper.ready = false;
    const engine = await engineWith(helper);
    askTokens(engine, 3, 60);
    await engine.step();
    const long = askTokens(engine, 35, 4);
    await runToEnd(engine);
    assert.deepEqual(helper.parts, []);
    assert.deepEqual(long.tokenIds, await answerAlone(35, 4));
    await engine.dispose();
  });

  it('cancelled meanwhile, goes no further, and what comes of its part is nobody’s', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    const { long } = await beside(helper, engine);
    long.cancelled = true;
    await engine.step();
    assert.deepEqual(long.codes, ['ABORTED']);
    assert.equal(engine.stats().prefilling, 0);
    await helper.finish();
    await engine.step();
    assert.deepEqual(helper.parts, [10]);
    assert.equal(engine.stats().prefillTokens, 3);
    await runToEnd(engine);
    await engine.dispose();
  });

  it('cancelled meanwhile, holds up no other', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    const { reader, long } = await beside(helper, engine);
    for (const sink of [reader, long]) sink.cancelled = true;
    const whole = askTokens(engine, 35, 4, false);
    await engine.step();
    assert.ok(engine.stats().prefillTokens > 3, 'its prompt is being run');
    await runToEnd(engine);
    assert.deepEqual(whole.tokenIds, await answerAlone(35, 4));
    await helper.finishAll();
    await engine.dispose();
  });

  it('is waited for when nobody is left to decode, and the rest is run here', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    const { reader, long } = await beside(helper, engine);
    reader.cancelled = true;
    const step = engine.step();
    await turn();
    await helper.finish();
    await step;
    await runToEnd(engine);
    assert.deepEqual(helper.parts, [10]);
    assert.deepEqual(long.tokenIds, await answerAlone(35, 4));
    await engine.dispose();
  });

  it('is found again by one that begins alike', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper, { prefixCacheBytes: 1 << 20 });
    const { long } = await beside(helper, engine);
    await helper.finishAll();
    await runToEnd(engine);
    const again = askTokens(engine, 35, 4);
    await runToEnd(engine);
    assert.equal(again.summary.usage.cachedTokens, 32);
    assert.deepEqual(again.tokenIds, long.tokenIds);
    await engine.dispose();
  });

  it('whose numbers are not finite, leaves nothing behind for one that begins alike', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper, { prefixCacheBytes: 1 << 20 });
    const { long } = await beside(helper, engine);
    for (let part = 0; part < 3; part++) {
      await helper.finish();
      await engine.step();
    }
    helper.unsound = true;
    // Its last block is still to be kept when the numbers are seen.
    await helper.finish();
    await runToEnd(engine);
    assert.deepEqual(long.codes, ['MODEL_NUMERICS']);
    assert.equal(engine.stats().prefixCache.blocks, 0);
    await engine.dispose();
  });
});

describe('prompts that wait for another actor', () => {
  it('wait when it is one: the answer that is being read keeps its pace', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    await beside(helper, engine);
    const { prefillTokens } = engine.stats();
    askTokens(engine, 30, 4);
    for (let step = 0; step < 5; step++) await engine.step();
    assert.equal(engine.stats().prefillTokens, prefillTokens);
    await helper.finishAll();
    await runToEnd(engine);
    await engine.dispose();
  });

  it('are run here too when they are several', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    await beside(helper, engine);
    const crowd = [askTokens(engine, 30, 4), askTokens(engine, 31, 4)];
    for (let step = 0; step < 20; step++) await engine.step();
    assert.equal(crowd[0]?.tokenIds.length, 4);
    assert.equal(crowd[1]?.tokenIds.length, 0, 'alone again, it waits');
    await helper.finishAll();
    await runToEnd(engine);
    assert.deepEqual(crowd[1]?.tokenIds, await answerAlone(31, 4));
    await engine.dispose();
  });

  it('go before a longer one when they are a single part', async () => {
    const helper = new PromptHelper();
    const engine = await engineWith(helper);
    const { long } = await beside(helper, engine);
    const short = askTokens(engine, 8, 4);
    await helper.finish();
    await engine.step();
    assert.deepEqual(helper.parts, [10, 8]);
    await helper.finish();
    await engine.step();
    assert.ok(short.tokenIds.length > 0);
    assert.deepEqual([helper.parts, long.tokenIds], [[10, 8, 10], []]);
    await helper.finishAll();
    await runToEnd(engine);
    assert.deepEqual(short.tokenIds, await answerAlone(8, 4));
    assert.deepEqual(long.tokenIds, await answerAlone(35, 4));
    await engine.dispose();
  });
});

describe('image embeddings handed to another actor', () => {
  it('are counted when it fails, too', async () => {
    // All that the engine does with its ref.
    const failing = {
      members: ['prefill/0'],
      ask: () => Promise.reject(new Error('the other actor died')),
    } as unknown as PrefillHelp['actor'];
    const prefill = { actor: failing, takesImages: true, threadsBeside: 1 };
    const engine = await pilotEngine({ prefill, prefixCacheBytes: 0 });
    const [first, second] = await encodedGoldens();
    assert.ok(first && second);
    const [reader, sink] = [new RecordingSink(), new RecordingSink()];
    engine.submit(question(first), reader);
    while (reader.tokenIds.length < 2) await engine.step();
    engine.submit(question(second), sink);
    await runToEnd(engine);
    assert.deepEqual(sink.tokenIds, second.tokenIds);
    const hops = sink.summary.trace.hops.filter(({ to }) => to === 'prefill');
    const bytesCopied = 25 * 128 * 4;
    assert.deepEqual(hops, [{ from: 'pd', to: 'prefill', kind: 'embeddings', bytesMoved: 0, bytesCopied }]);
    await engine.dispose();
  });
});
