import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { InputError } from '../../../actors/errors.ts';
import { groupQueryEngine } from './support/group-query.ts';
import { askTokens, runToEnd } from './support/requests.ts';

describe('a request that the memory cannot hold', () => {
  it('ever, is refused with what would fit', async () => {
    const engine = await groupQueryEngine({ kvTokens: 64 });
    const sink = askTokens(engine, 40, 60);
    const [error] = sink.errors;
    assert.ok(error instanceof InputError);
    assert.equal(error.code, 'KV_MEMORY_EXCEEDED');
    assert.deepEqual(error.details, {
      field: 'maxTokens',
      value: 60,
      remedy: 'Ask for at most 24 tokens, or raise pd.kvCacheBytes',
    });
    assert.equal(engine.hasWork, false);
    const fits = askTokens(engine, 40, 24);
    await runToEnd(engine);
    assert.equal(fits.tokenIds.length, 24);
    await engine.dispose();
  });

  it('because of its prompt alone, is told so', async () => {
    const engine = await groupQueryEngine({ kvTokens: 64 });
    const [error] = askTokens(engine, 100, 1).errors;
    assert.match(String(error), /prompt of 100 tokens.*holds 64.*Shorten the prompt/);
    await engine.dispose();
  });

  it('beside those that run, waits until they have left', async () => {
    const engine = await groupQueryEngine({ kvTokens: 64 });
    const first = askTokens(engine, 10, 22);
    const second = askTokens(engine, 10, 22);
    const third = askTokens(engine, 10, 22);
    await engine.step();
    const { running, prefilling, waiting } = engine.stats();
    assert.deepEqual({ running, prefilling, waiting }, { running: 2, prefilling: 0, waiting: 1 });
    assert.equal(third.settled, false);
    await runToEnd(engine);
    for (const sink of [first, second, third]) assert.equal(sink.tokenIds.length, 22);
    assert.deepEqual(third.tokenIds, first.tokenIds);
    const { peakKvBytes, kvBudgetBytes } = engine.stats();
    assert.ok(peakKvBytes > 0 && kvBudgetBytes > 0);
    await engine.dispose();
  });

  it('is not overtaken by a smaller one behind it', async () => {
    const engine = await groupQueryEngine({ kvTokens: 64 });
    askTokens(engine, 10, 22);
    const large = askTokens(engine, 30, 34);
    const small = askTokens(engine, 2, 2);
    await engine.step();
    assert.equal(engine.stats().waiting, 2);
    assert.equal(small.settled || large.settled, false);
    await runToEnd(engine);
    assert.equal(large.tokenIds.length, 34);
    await engine.dispose();
  });
});
