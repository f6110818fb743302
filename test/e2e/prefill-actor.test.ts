import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChatOptions, type ChatResult, type Mode, Troupe, type TroupeOptions } from '../../src/index.ts';
import { type Golden, golden, goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

/** One answer without an end, and a few beside it. */
const AT_ONCE = 4;
/** A prompt's picture and little more: what comes behind it is left for the next step. */
const TO_THE_PICTURE = 32;
/** Goes on up to its limit. */
const ENDLESS: ChatOptions = {
  messages: [{ role: 'user', content: 'What do you see?' }],
  ...{ repetitionPenalty: 1000, frequencyPenalty: -2, presencePenalty: -2, maxTokens: 1900 },
};

function start(mode: Mode, options: TroupeOptions = {}): Promise<Troupe> {
  const pd = { count: 1, maxRunning: AT_ONCE, prefixCacheBytes: 0, prefillTokensPerStep: TO_THE_PICTURE };
  return Troupe.start({
    ...{ model: PILOT_MODEL, mode, prefill: { count: 1 }, ...options },
    pd: { ...pd, ...options.pd },
  });
}

async function read(troupe: Troupe, golden: Golden): Promise<ChatResult> {
  const stream = troupe.stream({ messages: goldenMessages(golden) });
  for await (const _delta of stream) {
    // Read as it comes.
  }
  return await stream.result;
}

function readAll(troupe: Troupe): Promise<ChatResult[]> {
  return Promise.all(goldens.map((golden) => read(troupe, golden)));
}

async function tokensAside(troupe: Troupe): Promise<number> {
  const { actors } = await troupe.stats();
  const counted = actors.filter(({ name }) => name.startsWith('prefill/')).map(({ stats }) => stats);
  return counted.reduce((sum, stats) => sum + Number(stats?.prefillTokens), 0);
}

/** Prompts are run aside while an answer is being read: an endless one is, on each actor, while all others are. */
async function readAllBeside(troupe: Troupe, actors = 1): Promise<ChatResult[]> {
  const leave = new AbortController();
  const endless = await Promise.all(
    Array.from({ length: actors }, async () => {
      const deltas = troupe.stream({ ...ENDLESS, signal: leave.signal })[Symbol.asyncIterator]();
      await deltas.next();
      return readOn(deltas);
    }),
  );
  const results = await readAll(troupe);
  leave.abort();
  await Promise.all(endless.map((reading) => reading.done));
  return results;
}

/** Reads as it comes. `done` resolves when there is no more, however it ended. */
function readOn(deltas: AsyncIterator<unknown>): { readonly done: Promise<void> } {
  const read = async () => {
    while (!(await deltas.next()).done);
  };
  return { done: read().catch(() => {}) };
}

const expected = goldens.map(({ tokenIds }) => tokenIds);
const tokensOf = (results: readonly ChatResult[]) => results.map(({ tokenIds }) => tokenIds);

describe('a prefill actor', () => {
  for (const mode of ['aggregated', 'disaggregated'] as const) {
    it(`runs prompts beside answers that are read, in ${mode} mode: the goldens, token for token`, async () => {
      await using troupe = await start(mode);
      assert.deepEqual(tokensOf(await readAllBeside(troupe)), expected);
      assert.ok((await tokensAside(troupe)) > 0);
    });
  }

  it('serves several PD actors', async () => {
    await using troupe = await start('disaggregated', { pd: { count: 2, maxRunning: 2 } });
    assert.deepEqual(tokensOf(await readAllBeside(troupe, 2)), expected);
    assert.ok((await tokensAside(troupe)) > 0);
  });

  it('is handed no image embeddings in aggregated mode', async () => {
    await using troupe = await start('aggregated');
    // What comes behind an image is run there.
    for (const { bytesBetweenActors } of await readAllBeside(troupe)) {
      assert.deepEqual(bytesBetweenActors.embeddings, { moved: 0, copied: 0 });
    }
    assert.ok((await tokensAside(troupe)) > 0);
  });

  it('is handed image embeddings in disaggregated mode, and they are counted', async () => {
    await using troupe = await start('disaggregated');
    const image = 25 * 128 * 4;
    const handed = (await readAllBeside(troupe)).map(
      ({ bytesBetweenActors }) => bytesBetweenActors.embeddings,
    );
    for (const { moved } of handed) assert.equal(moved, image, 'encoder to PD');
    assert.ok(
      handed.some(({ copied }) => copied === image),
      'PD to the prefill actor',
    );
  });

  it('that dies loses no request', async () => {
    await using troupe = await start('disaggregated');
    const down = new Promise((resolve) => troupe.events.once('actor:down', resolve));
    const first = read(troupe, golden(0));
    const reading = readAll(troupe);
    await first;
    assert.ok(troupe.crash('prefill/0'));
    await down;
    assert.equal(troupe.health().ready, true);
    assert.deepEqual(tokensOf(await reading), expected);
    assert.deepEqual(tokensOf(await readAll(troupe)), expected);
  });

  it('is not there for a small model unless asked for', async () => {
    await using troupe = await Troupe.start({ model: PILOT_MODEL, pd: { count: 1 } });
    assert.deepEqual(
      new Set(troupe.health().actors.map(({ name }) => name)),
      new Set(['processor/0', 'aggregated/0']),
    );
  });
});
