import assert from 'node:assert/strict';
import { after, before, describe, it } from 'node:test';
import type { GraphSession, TensorSpec, Tensors } from '../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../actors/inference/onnxruntime.ts';
import { PdEngine } from '../../../actors/pd/engine/engine.ts';
import { KvBudget } from '../../../actors/pd/kv-cache/kv-budget.ts';
import { CONCAT_LAYOUT } from '../../../actors/pd/kv-cache/kv-layout.ts';
import { kvPorts } from '../../../actors/pd/kv-cache/kv-signature.ts';
import { PlainKvCache } from '../../../actors/pd/kv-cache/plain-kv-cache.ts';
import { PrefixCache } from '../../../actors/pd/prefix-cache/prefix-cache.ts';
import type { Sequence } from '../../../actors/pd/requests/sequence.ts';
import { Decoder } from '../../../actors/pd/runner/decoder.ts';
import { ModelRunner } from '../../../actors/pd/runner/model-runner.ts';
import { ListMatcher } from './support/list-matcher.ts';
import { type EncodedGolden, encodedGoldens, pilotEngine } from './support/pilot.ts';
import { describeToken, envelope, question, RecordingSink, runToEnd } from './support/requests.ts';

const VOCABULARY = 4;

/** A decoder of one layer that does no arithmetic: the next token is the last one plus 1, and faults are planned. */
class ScriptedSession implements GraphSession {
  readonly inputs = specs([
    'input_ids',
    'attention_mask',
    'past_key_values.0.key',
    'past_key_values.0.value',
  ]);
  readonly outputs = specs(['logits', 'present.0.key', 'present.0.value']);
  released = 0;
  /** Called before each run with its batch size; throws to fail it. */
  onRun: (rows: number) => void = () => undefined;
  /** Value of the largest logit of a row whose last token is `id`. */
  peak: (id: number) => number = () => 1;

  async run(feeds: Tensors): Promise<Tensors> {
    const { input_ids: ids, 'past_key_values.0.key': past } = feeds;
    assert.ok(ids?.data instanceof BigInt64Array && past);
    const [rows = 0, length = 0] = ids.dims;
    this.onRun(rows);
    const logits = new Float32Array(rows * length * VOCABULARY);
    for (const [index, id] of ids.data.entries()) {
      logits[index * VOCABULARY + ((Number(id) + 1) % VOCABULARY)] = this.peak(Number(id));
    }
    const capacity = (past.dims[2] ?? 0) + length;
    const present = () => new Tensor('float32', new Float32Array(rows * capacity), [rows, 1, capacity, 1]);
    return {
      logits: new Tensor('float32', logits, [rows, length, VOCABULARY]),
      'present.0.key': present(),
      'present.0.value': present(),
    };
  }

  async release(): Promise<void> {
    this.released += 1;
  }
}

function specs(names: readonly string[]): ReadonlyMap<string, TensorSpec> {
  const shape = ['batch', 1, 'past', 1];
  return new Map(names.map((name) => [name, { name, type: 'float32', shape }]));
}

function scriptedEngine(session: GraphSession): PdEngine {
  const runner = new ModelRunner<Sequence>({
    decoder: new Decoder(session),
    embedder: undefined,
    cache: new PlainKvCache(kvPorts(session, { kvHeads: 1, headDim: 1 }), CONCAT_LAYOUT),
    budget: new KvBudget(4 * 64 * 8, 8),
    prefixes: new PrefixCache(0),
    imageTokenId: -1,
  });
  const newDetokenizer = () => ({ push: String, flush: () => '' });
  return new PdEngine(
    { runner, newDetokenizer, describe: describeToken, contextLength: 64, eosTokenIds: [], imageTokenId: -1 },
    { maxRunning: 4, maxWaiting: 8 },
  );
}

function ask(engine: PdEngine, promptIds: readonly number[], maxTokens = 4): RecordingSink {
  const sink = new RecordingSink();
  engine.submit({ envelope: envelope(promptIds, { maxTokens }), images: [] }, sink);
  return sink;
}

describe('faults of the model', () => {
  it('a failing prefill fails its request alone', async () => {
    const session = new ScriptedSession();
    const engine = scriptedEngine(session);
    let runs = 0;
    session.onRun = () => {
      runs += 1;
      if (runs === 1) throw new Error('out of memory');
    };
    const first = ask(engine, [0]);
    const second = ask(engine, [0]);
    await runToEnd(engine);
    assert.equal(first.errors.length, 1);
    assert.deepEqual(second.tokenIds, [1, 2, 3, 0]);
  });

  it('a failing batch fails the requests in it, and the engine serves the next', async () => {
    const session = new ScriptedSession();
    const engine = scriptedEngine(session);
    session.onRun = (rows) => {
      if (rows === 2) throw new Error('out of memory');
    };
    const batch = [ask(engine, [0]), ask(engine, [1])];
    await runToEnd(engine);
    for (const sink of batch) assert.match(String(sink.errors[0]), /out of memory/);
    const next = ask(engine, [1]);
    await runToEnd(engine);
    assert.deepEqual(next.tokenIds, [2, 3, 0, 1]);
    assert.partialDeepStrictEqual(engine.stats(), { failed: 2, finished: 1, running: 0, waiting: 0 });
  });

  for (const [name, value] of [
    ['NaN', Number.NaN],
    ['Infinity', Number.POSITIVE_INFINITY],
  ] as const) {
    it(`${name} among the logits fails the request with MODEL_NUMERICS, not its batch-mates`, async () => {
      const session = new ScriptedSession();
      session.peak = (id) => (id === 2 ? value : 1);
      const engine = scriptedEngine(session);
      const poisoned = ask(engine, [1]);
      const healthy = ask(engine, [3], 2);
      await runToEnd(engine);
      assert.deepEqual(poisoned.codes, ['MODEL_NUMERICS']);
      assert.deepEqual(poisoned.tokenIds, [2]);
      assert.deepEqual(healthy.tokenIds, [0, 1]);
    });
  }

  for (const newMatcher of [undefined, () => new ListMatcher([[3, 3, 3]], VOCABULARY)]) {
    const what = newMatcher === undefined ? 'drawn' : 'constrained';
    it(`NaN fails all ${what} answers of a request, and nobody else`, async () => {
      const session = new ScriptedSession();
      session.peak = (id) => (id === 2 ? Number.NaN : 1);
      const engine = scriptedEngine(session);
      const poisoned = new RecordingSink();
      const sampled = envelope([2], { n: 3, temperature: 1 });
      engine.submit({ envelope: sampled, images: [], ...(newMatcher && { newMatcher }) }, poisoned);
      const healthy = ask(engine, [3], 2);
      await runToEnd(engine);
      assert.deepEqual(poisoned.codes, ['MODEL_NUMERICS']);
      assert.deepEqual(healthy.tokenIds, [0, 1]);
      assert.equal(engine.stats().running, 0);
    });
  }

  it('stopping fails what is open with ACTOR_STOPPED and frees the model once', async () => {
    const session = new ScriptedSession();
    const engine = scriptedEngine(session);
    const running = ask(engine, [0]);
    await engine.step();
    const waiting = ask(engine, [0]);
    await Promise.all([engine.dispose(), engine.dispose()]);
    const late = ask(engine, [0]);
    for (const sink of [running, waiting, late]) assert.deepEqual(sink.codes, ['ACTOR_STOPPED']);
    assert.equal(session.released, 1);
  });

  it('stopping during a step lets the step end first', async () => {
    const session = new ScriptedSession();
    const engine = scriptedEngine(session);
    const sink = ask(engine, [0]);
    let releasedDuringRun = false;
    session.onRun = () => {
      releasedDuringRun ||= session.released > 0;
    };
    const step = engine.step();
    await engine.dispose();
    await step;
    assert.deepEqual(sink.codes, ['ACTOR_STOPPED']);
    assert.equal(releasedDuringRun, false);
    assert.equal(session.released, 1);
  });
});

describe('memory', () => {
  let engine: PdEngine;
  let golden: EncodedGolden;
  before(async () => {
    const [first] = await encodedGoldens();
    assert.ok(first);
    golden = first;
    engine = await pilotEngine();
  });
  after(() => engine.dispose());

  it('clearCaches gives an idle engine’s buffers back and says how much; answers stay the same', async () => {
    engine.submit(question(golden), new RecordingSink());
    await runToEnd(engine);
    const { kvBytes } = engine.stats();
    assert.ok(kvBytes > 0);
    assert.ok((await engine.clearCaches()) >= kvBytes);
    assert.equal(engine.stats().kvBytes, 0);
    const sink = new RecordingSink();
    engine.submit(question(golden), sink);
    await runToEnd(engine);
    assert.deepEqual(sink.tokenIds, golden.tokenIds);
  });

  it('clearCaches during a step waits for its end and keeps what runs', async () => {
    const sink = new RecordingSink();
    engine.submit(question(golden), sink);
    await engine.step();
    const step = engine.step();
    const cleared = engine.clearCaches();
    await Promise.all([step, cleared]);
    await runToEnd(engine);
    assert.deepEqual(sink.tokenIds, golden.tokenIds);
  });
});
