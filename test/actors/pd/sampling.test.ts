import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { question, RecordingSink, runToEnd } from './support/requests.ts';

const SAMPLING = { temperature: 1.5, topP: 0.98, maxTokens: 24 };

describe('sampling in the engine', () => {
  let goldens: EncodedGolden[];
  let engine: PdEngine;
  before(async () => {
    goldens = (await encodedGoldens()).slice(0, 8);
    engine = await pilotEngine();
  });
  after(() => engine.dispose());

  async function sampled(golden: EncodedGolden, seed: number): Promise<number[]> {
    const sink = new RecordingSink();
    engine.submit(question(golden, { ...SAMPLING, seed }), sink);
    await runToEnd(engine);
    return sink.tokenIds;
  }

  it('the same seed gives the same tokens alone and in a batch of others', async () => {
    const alone: number[][] = [];
    for (const [seed, golden] of goldens.entries()) alone.push(await sampled(golden, seed));
    const sinks = goldens.map(() => new RecordingSink());
    for (const [seed, golden] of goldens.entries()) {
      const sink = sinks[seed];
      if (sink !== undefined) engine.submit(question(golden, { ...SAMPLING, seed }), sink);
      await engine.step();
    }
    await runToEnd(engine);
    assert.deepEqual(
      sinks.map((sink) => sink.tokenIds),
      alone,
    );
  });

  it('beside a greedy request, neither changes', async () => {
    const [first, second] = goldens;
    assert.ok(first && second);
    const alone = await sampled(first, 1);
    const [drawn, greedy] = [new RecordingSink(), new RecordingSink()];
    engine.submit(question(first, { ...SAMPLING, seed: 1 }), drawn);
    engine.submit(question(second), greedy);
    await runToEnd(engine);
    assert.deepEqual([drawn.tokenIds, greedy.tokenIds], [alone, second.tokenIds]);
  });

  it('different seeds give different tokens', async () => {
    const [golden] = goldens;
    assert.ok(golden);
    const answers = new Set<string>();
    for (let seed = 0; seed < 6; seed++) answers.add((await sampled(golden, seed)).join());
    assert.ok(answers.size > 1);
  });
});
