import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import type { GraphSession, TensorSpec, Tensors } from '../../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../../actors/inference/onnxruntime.ts';
import { TokenEmbedder } from '../../../../actors/pd/runner/token-embedder.ts';

/** `embed_tokens` with embeddings `[id, -id]`; records the ids of each run. */
class CountingSession implements GraphSession {
  readonly inputs = new Map<string, TensorSpec>([
    ['input_ids', { name: 'input_ids', type: 'int64', shape: [] }],
  ]);
  readonly outputs = new Map<string, TensorSpec>([
    ['embeds', { name: 'embeds', type: 'float32', shape: [] }],
  ]);
  readonly runs: number[][] = [];

  async run(feeds: Tensors): Promise<Tensors> {
    const data = feeds.input_ids?.data;
    assert.ok(data instanceof BigInt64Array);
    const ids = [...data].map(Number);
    this.runs.push(ids);
    const embeds = Float32Array.from(ids.flatMap((id) => [id, -id]));
    return { embeds: new Tensor('float32', embeds, [1, ids.length, 2]) };
  }

  async release(): Promise<void> {}
}

describe('token embeddings', () => {
  let session: CountingSession;
  let embedder: TokenEmbedder;
  beforeEach(() => {
    session = new CountingSession();
    embedder = new TokenEmbedder(session, 2);
  });

  async function embed(...ids: readonly number[]): Promise<number[]> {
    const target = new Float32Array(2 * ids.length);
    await embedder.embed(Int32Array.from(ids), target);
    return [...target];
  }

  it('come in the order of the ids', async () => {
    assert.deepEqual(await embed(3, 1, 3), [3, -3, 1, -1, 3, -3]);
  });

  it('are computed once per id', async () => {
    await embed(3, 1, 3);
    await embed(1, 2, 3);
    await embed(2);
    assert.deepEqual(session.runs, [[3, 1], [2]]);
  });

  it('are kept through growth of the table', async () => {
    const ids = Array.from({ length: 1000 }, (_, id) => id);
    await embed(...ids);
    assert.deepEqual(
      await embed(...ids),
      ids.flatMap((id) => [id, -id]),
    );
    assert.equal(session.runs.length, 1);
  });

  it('are forgotten on request, and computed anew', async () => {
    await embed(1);
    assert.ok(embedder.clear() > 0);
    assert.equal(embedder.bytes, 0);
    assert.deepEqual(await embed(1), [1, -1]);
    assert.equal(session.runs.length, 2);
  });
});
