import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChatResult, type Mode, Troupe, type TroupeOptions } from '../../src/index.ts';
import { type Golden, golden, goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

/** A few at a time: while some answers are read, the prompts of the next are run. */
const AT_ONCE = 4;

function start(mode: Mode, options: TroupeOptions = {}): Promise<Troupe> {
  return Troupe.start({
    model: PILOT_MODEL,
    mode,
    prefill: { count: 1 },
    ...options,
    pd: { maxRunning: AT_ONCE, prefixCacheBytes: 0, ...options.pd },
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

/** Whether a prompt finds an answer to be run beside is a matter of pace: all are read again until one has, ten times at most. */
async function readUntilAside(
  troupe: Troupe,
  check: (results: readonly ChatResult[]) => void,
): Promise<void> {
  for (let round = 0; round < 10; round++) {
    check(await readAll(troupe));
    if ((await tokensAside(troupe)) > 0) return;
  }
  assert.fail('no prompt was run by the prefill actor');
}

const expected = goldens.map(({ tokenIds }) => tokenIds);
const tokensOf = (results: readonly ChatResult[]) => results.map(({ tokenIds }) => tokenIds);

describe('a prefill actor', () => {
  for (const mode of ['aggregated', 'disaggregated'] as const) {
    it(`runs prompts beside answers that are read, in ${mode} mode: the goldens, token for token`, async () => {
      await using troupe = await start(mode);
      await readUntilAside(troupe, (results) => assert.deepEqual(tokensOf(results), expected));
    });
  }

  it('serves several PD actors', async () => {
    await using troupe = await start('disaggregated', { pd: { count: 2, maxRunning: 2 } });
    await readUntilAside(troupe, (results) => assert.deepEqual(tokensOf(results), expected));
  });

  it('is handed no image embeddings in aggregated mode', async () => {
    await using troupe = await start('aggregated');
    // What comes behind an image is run there.
    await readUntilAside(troupe, (results) => {
      for (const { bytesBetweenActors } of results) {
        assert.deepEqual(bytesBetweenActors.embeddings, { moved: 0, copied: 0 });
      }
    });
  });

  it('is handed image embeddings in disaggregated mode, and they are counted', async () => {
    await using troupe = await start('disaggregated');
    const image = 25 * 128 * 4;
    let copies = 0;
    for (let round = 0; round < 10 && copies === 0; round++) {
      const handed = (await readAll(troupe)).map(({ bytesBetweenActors }) => bytesBetweenActors.embeddings);
      for (const { moved } of handed) assert.equal(moved, image, 'encoder to PD');
      copies = handed.filter(({ copied }) => copied === image).length;
    }
    assert.ok(copies > 0);
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
