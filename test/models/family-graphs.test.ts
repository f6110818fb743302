/**
 * What the exported decoders with masks of their own promise to an engine that batches: who sees whom goes by true
 * positions and by groups, never by where a token lies in the cache.
 */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { before, describe, it } from 'node:test';
import { InferenceSession, Tensor } from '../../actors/inference/onnxruntime.ts';
import { fixturePath } from './support/checkpoint.ts';

const [HIDDEN, KV_HEADS, HEAD_DIM] = [64, 2, 16];
/** Longer than Gemma 3's window of 32 and Llama 4's chunk of 64. */
const LENGTHS = [75, 131, 64];
/** Differences that another order of additions makes. */
const NEAR = 1e-4;

type Feeds = Record<string, Tensor>;

/** The same numbers at every run, between −1 and 1. */
function noise(count: number, seed: number): Float32Array {
  let state = seed;
  return Float32Array.from({ length: count }, () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 31 - 1;
  });
}

const int64s = (values: readonly number[], dims: readonly number[]) =>
  new Tensor('int64', BigInt64Array.from(values, BigInt), dims);

const floats = (values: Float32Array, dims: readonly number[]) => new Tensor('float32', values, dims);

const range = (length: number, from = 0) => Array.from({ length }, (_, i) => from + i);

class Decoder {
  readonly #session: InferenceSession;
  readonly #caches: readonly string[];

  private constructor(session: InferenceSession) {
    this.#session = session;
    this.#caches = session.inputNames.filter((name) => name.startsWith('past_key_values.'));
  }

  static async open(family: string): Promise<Decoder> {
    const path = join(fixturePath(family), 'onnx', 'decoder_model_merged.onnx');
    return new Decoder(await InferenceSession.create(path, { intraOpNumThreads: 1 }));
  }

  /** Logits of each token, and the cache behind them. */
  async run(feeds: Feeds, past: Feeds): Promise<{ logits: Float32Array[]; present: Feeds }> {
    const groups = feeds.token_type_ids ?? int64s(Array(sizeOf(feeds)).fill(0), shapeOf(feeds));
    const taken = this.#session.inputNames.includes('token_type_ids') ? { token_type_ids: groups } : {};
    const outputs = await this.#session.run({ ...feeds, ...taken, ...past });
    const { data, dims } = outputs.logits as Tensor;
    const [rows = 0, length = 0, vocabulary = 0] = dims;
    const logits = range(rows * length).map((i) =>
      (data as Float32Array).slice(i * vocabulary, (i + 1) * vocabulary),
    );
    const present = this.#caches.map((name) => [
      name,
      outputs[name.replace('past_key_values', 'present')] as Tensor,
    ]);
    return { logits, present: Object.fromEntries(present) };
  }

  nothing(rows: number): Feeds {
    const none = () => floats(new Float32Array(0), [rows, KV_HEADS, 0, HEAD_DIM]);
    return Object.fromEntries(this.#caches.map((name) => [name, none()]));
  }
}

const shapeOf = ({ inputs_embeds }: Feeds) => inputs_embeds?.dims.slice(0, 2) ?? [];
const sizeOf = (feeds: Feeds) => shapeOf(feeds).reduce((a, b) => a * b, 1);

/** Tokens `from` to the end of the embeddings, which stand for a prompt. */
function prompt(embeds: Float32Array, from = 0, groups?: readonly number[]): Feeds {
  const total = embeds.length / HIDDEN;
  const length = total - from;
  return {
    inputs_embeds: floats(embeds.slice(from * HIDDEN), [1, length, HIDDEN]),
    attention_mask: int64s(Array(total).fill(1), [1, total]),
    position_ids: int64s(range(length, from), [1, length]),
    ...(groups === undefined ? {} : { token_type_ids: int64s(groups, [1, length]) }),
  };
}

function assertNear(
  actual: Float32Array | undefined,
  expected: Float32Array | undefined,
  what: string,
): void {
  assert(actual !== undefined && expected !== undefined);
  const largest = actual.reduce((most, one, i) => Math.max(most, Math.abs(one - (expected[i] ?? 0))), 0);
  assert(largest < NEAR, `${what}: ${largest}`);
}

function differs(a: Float32Array | undefined, b: Float32Array | undefined): boolean {
  assert(a !== undefined && b !== undefined);
  return a.some((one, i) => Math.abs(one - (b[i] ?? 0)) > NEAR);
}

/** The row's cache, spread over more places in a scattered but rising order; junk in the free ones. */
function spread(cache: Tensor, places: readonly number[], capacity: number): Float32Array {
  const spreaded = noise(KV_HEADS * capacity * HEAD_DIM, 99);
  const source = cache.data as Float32Array;
  for (let head = 0; head < KV_HEADS; head++) {
    for (const [token, place] of places.entries()) {
      const from = (head * places.length + token) * HEAD_DIM;
      spreaded.set(source.subarray(from, from + HEAD_DIM), (head * capacity + place) * HEAD_DIM);
    }
  }
  return spreaded;
}

for (const family of ['gemma3', 'llama4', 'paligemma']) {
  describe(`the decoder of ${family}`, () => {
    let decoder: Decoder;
    before(async () => {
      decoder = await Decoder.open(family);
    });

    it('answers rows with free places anywhere in their past as each alone', async () => {
      const capacity = Math.max(...LENGTHS) + 29;
      const pasts = await Promise.all(
        LENGTHS.map(
          async (length, row) =>
            (await decoder.run(prompt(noise(length * HIDDEN, row + 1)), decoder.nothing(1))).present,
        ),
      );
      const token = noise(HIDDEN, 7);
      const step = (rows: number, mask: Tensor, positions: readonly number[]): Feeds => ({
        inputs_embeds: floats(
          Float32Array.from({ length: rows * HIDDEN }, (_, i) => token[i % HIDDEN] ?? 0),
          [rows, 1, HIDDEN],
        ),
        attention_mask: mask,
        position_ids: int64s(positions, [rows, 1]),
      });
      const alone: (Float32Array | undefined)[] = [];
      for (const [row, length] of LENGTHS.entries()) {
        const mask = int64s(Array(length + 1).fill(1), [1, length + 1]);
        const { logits } = await decoder.run(step(1, mask, [length]), pasts[row] ?? {});
        alone.push(logits[0]);
      }
      // Every row leaves out other places, at the start, in between and at the end.
      const places = LENGTHS.map((length, row) =>
        range(length).map((i) => row + i + Math.floor((i * (20 - 3 * row)) / length)),
      );
      const mask = places.flatMap((used) => [
        ...range(capacity).map((place) => (used.includes(place) ? 1 : 0)),
        1,
      ]);
      const past = Object.keys(pasts[0] ?? {}).map((name) => {
        const values = LENGTHS.flatMap((_, row) => [
          ...spread(pasts[row]?.[name] as Tensor, places[row] ?? [], capacity),
        ]);
        return [
          name,
          floats(Float32Array.from(values), [LENGTHS.length, KV_HEADS, capacity, HEAD_DIM]),
        ] as const;
      });
      const together = await decoder.run(
        step(LENGTHS.length, int64s(mask, [LENGTHS.length, capacity + 1]), LENGTHS),
        Object.fromEntries(past),
      );
      for (const [row, logits] of together.logits.entries()) assertNear(logits, alone[row], `row ${row}`);
    });

    it('answers a prompt in parts as whole', async () => {
      const [length, cut] = [100, 41];
      const embeds = noise(length * HIDDEN, 5);
      const { logits } = await decoder.run(prompt(embeds), decoder.nothing(1));
      const first = await decoder.run(prompt(embeds.slice(0, cut * HIDDEN)), decoder.nothing(1));
      const second = await decoder.run(prompt(embeds, cut), first.present);
      for (const i of range(length)) {
        assertNear([...first.logits, ...second.logits][i], logits[i], `token ${i}`);
      }
    });

    if (family === 'llama4') return;

    it('lets tokens of one group see each other both ways, and no others', async () => {
      // Tokens 2 to 5 and 6 to 8 are two groups.
      const groups = [0, 0, 1, 1, 1, 1, 2, 2, 2, 0, 0];
      const { length } = groups;
      const embeds = noise(length * HIDDEN, 3);
      const { logits: before } = await decoder.run(prompt(embeds, 0, groups), decoder.nothing(1));
      for (const changed of [1, 5, 8, 10]) {
        const other = Float32Array.from(embeds);
        other.set(noise(HIDDEN, 1000 + changed), changed * HIDDEN);
        const { logits } = await decoder.run(prompt(other, 0, groups), decoder.nothing(1));
        const sees = (i: number) => i >= changed || (groups[i] !== 0 && groups[i] === groups[changed]);
        assert.deepEqual(
          range(length).map((i) => differs(logits[i], before[i])),
          range(length).map(sees),
          `token ${changed} changed`,
        );
      }
    });
  });
}
