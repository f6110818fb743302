/** Slots of one port with two heads, and what is in them. */
import assert from 'node:assert/strict';
import type { Tensors } from '../../../../../actors/inference/graph-session.ts';
import { Tensor } from '../../../../../actors/inference/onnxruntime.ts';
import type { KvPort } from '../../../../../actors/pd/kv-cache/kv-signature.ts';
import type { SlotKvCache } from '../../../../../actors/pd/kv-cache/slot-kv-cache.ts';

export const port: KvPort = {
  past: 'past_key_values.0.key',
  present: 'new.0.key',
  type: 'float32',
  heads: 2,
  headDim: 1,
};

/** New rows as the decoder outputs them: head 1 has the negatives of head 0. */
export function fresh(...rows: readonly (readonly number[])[]): Tensors {
  const length = rows[0]?.length ?? 0;
  const data = rows.flatMap((row) => [...row, ...row.map((value) => -value)]);
  return { 'new.0.key': new Tensor('float32', Float32Array.from(data), [rows.length, 2, length, 1]) };
}

export function join(cache: SlotKvCache, ...tokens: readonly number[]): void {
  const kv = cache.openPrompt(tokens.length);
  kv.take(fresh(tokens), 0, tokens.length);
  cache.join(kv);
}

export function past(cache: SlotKvCache): { data: Float32Array; capacity: number } {
  const tensor = cache.stepFeeds()['past_key_values.0.key'];
  assert.ok(tensor?.data instanceof Float32Array);
  return { data: tensor.data, capacity: tensor.dims[2] ?? 0 };
}

/** What each row holds, by its head 0; head 1 must agree. */
export function held(cache: SlotKvCache): number[][] {
  const { data, capacity } = past(cache);
  return [...cache.lengths].map((length, row) => {
    const start = 2 * row * capacity;
    const head = [...data.subarray(start, start + length)];
    const other = [...data.subarray(start + capacity, start + capacity + length)];
    assert.deepEqual(
      other,
      head.map((value) => -value),
    );
    return head;
  });
}

export const count = (to: number, from = 1) => Array.from({ length: to - from + 1 }, (_, i) => from + i);
