import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { type ChatStream, type Mode, Troupe, TroupeError } from '../../src/index.ts';
import { type Golden, goldenMessages, goldens } from '../support/golden.ts';
import { PILOT_MODEL } from '../support/pilot-model.ts';

/** One sequence decodes at a time, so that at the crash some requests have tokens, and some have not begun. */
const ONE_AT_A_TIME = { pd: { count: 1, maxRunning: 1 } };
const asked = goldens.slice(0, 12);

interface Outcome {
  readonly one: Golden;
  readonly deltas: number;
  readonly tokenIds?: readonly number[];
  readonly error?: unknown;
}

async function settle(one: Golden, stream: ChatStream, onDelta: () => void): Promise<Outcome> {
  let deltas = 0;
  try {
    for await (const _ of stream) {
      deltas += 1;
      onDelta();
    }
    return { one, deltas, tokenIds: (await stream.result).tokenIds };
  } catch (error) {
    return { one, deltas, error };
  }
}

/** Crashes an actor at the first token of any request; returns what became of all of them. */
async function crashAtFirstToken(troupe: Troupe, actor: string): Promise<Outcome[]> {
  let crashed = false;
  const crash = () => {
    if (!crashed) crashed = troupe.crash(actor);
  };
  return await Promise.all(
    asked.map((one) => settle(one, troupe.stream({ messages: goldenMessages(one) }), crash)),
  );
}

const CASES: readonly (readonly [Mode, string])[] = [
  ['aggregated', 'processor/0'],
  ['aggregated', 'aggregated/0'],
  ['disaggregated', 'processor/0'],
  ['disaggregated', 'encoder/0'],
  ['disaggregated', 'pd/0'],
];

for (const [mode, actor] of CASES) {
  describe(`a crash of ${actor} in ${mode} mode`, () => {
    it('loses no request: each is answered, or fails as retry-safe after its first token', async () => {
      await using troupe = await Troupe.start({ model: PILOT_MODEL, mode, ...ONE_AT_A_TIME });
      const down: string[] = [];
      troupe.events.on('actor:down', (event) => down.push(event.actor));
      for (const { one, deltas, tokenIds, error } of await crashAtFirstToken(troupe, actor)) {
        if (error === undefined) {
          assert.deepEqual(tokenIds, one.tokenIds, one.question);
        } else {
          assert(error instanceof TroupeError, String(error));
          assert.equal(error.retrySafe, true, error.message);
          assert(deltas > 0, `failed before its first token: ${error.message}`);
        }
      }
      assert.deepEqual(down, [actor]);
    });

    it('is followed by a restart that serves', async () => {
      await using troupe = await Troupe.start({ model: PILOT_MODEL, mode, ...ONE_AT_A_TIME });
      await crashAtFirstToken(troupe, actor);
      for (const one of asked) {
        assert.deepEqual((await troupe.chat({ messages: goldenMessages(one) })).tokenIds, one.tokenIds);
      }
      const { actors, arenas } = await troupe.stats();
      assert.deepEqual(
        actors.map(({ name, state, restarts }) => [name, state, restarts]),
        actors.map(({ name }) => [name, 'up', name === actor ? 1 : 0]),
      );
      assert.equal(arenas.find(({ name }) => name === 'pixels')?.tensors, 0);
    });
  });
}

describe('an actor that crashes again and again', () => {
  it('is given up, and every request fails instead of waiting for it', async () => {
    await using troupe = await Troupe.start({ model: PILOT_MODEL, pd: { count: 1 }, retries: 0 });
    const escalated = new Promise<string>((resolve) => {
      troupe.events.on('actor:escalated', ({ actor }) => resolve(actor));
    });
    troupe.events.on('actor:up', ({ actor }) => void troupe.crash(actor));
    troupe.crash('aggregated/0');
    assert.equal(await escalated, 'aggregated/0');
    const [one] = asked;
    assert(one !== undefined);
    await assert.rejects(troupe.chat({ messages: goldenMessages(one) }), { code: 'ACTOR_ESCALATED' });
    const { actors } = await troupe.stats();
    assert.equal(actors.find(({ name }) => name === 'aggregated/0')?.state, 'escalated');
  });
});
