/** The model's graphs without anything of ours around them: what a plain loop of `session.run` costs. */
import { InferenceSession, Tensor } from 'onnxruntime-node';
import type { ModelGeometry } from '../actors/model/geometry.ts';
import type { ModelDirectory } from '../actors/model/model-directory.ts';

/** With the same thread settings as the engine's sessions. */
export function openBareSession(path: string, threads: number): Promise<InferenceSession> {
  const extra = { session: { intra_op: { allow_spinning: '0' } } };
  return InferenceSession.create(path, { intraOpNumThreads: threads, enableMemPattern: false, extra });
}

/** A language model decoding the textbook way: every cache tensor is fetched, and fed to the next step. */
export class BareDecoder {
  readonly #geometry: ModelGeometry;
  readonly #embed: InferenceSession;
  readonly #decoder: InferenceSession;
  #past: Record<string, Tensor> = {};
  #length = 0;

  private constructor(geometry: ModelGeometry, embed: InferenceSession, decoder: InferenceSession) {
    this.#geometry = geometry;
    this.#embed = embed;
    this.#decoder = decoder;
  }

  static async load({ graphs, geometry }: ModelDirectory, threads: number): Promise<BareDecoder> {
    if (graphs.embed === undefined) throw new Error('the model has no token embedding graph');
    const embed = await openBareSession(graphs.embed.path, threads);
    return new BareDecoder(geometry, embed, await openBareSession(graphs.decoder.path, threads));
  }

  /** Forgets everything and runs the same prompt in each row of the batch. */
  async prefill(promptIds: Int32Array, batch: number): Promise<void> {
    const { layers, kvHeads, headDim } = this.#geometry;
    this.#past = {};
    this.#length = 0;
    for (let layer = 0; layer < layers; layer++) {
      for (const part of ['key', 'value']) {
        const empty = new Tensor('float32', new Float32Array(0), [batch, kvHeads, 0, headDim]);
        this.#past[`past_key_values.${layer}.${part}`] = empty;
      }
    }
    await this.#run(promptIds, batch);
  }

  /** One more token in each row. */
  async step(token: number, batch: number): Promise<void> {
    await this.#run(Int32Array.of(token), batch);
  }

  async release(): Promise<void> {
    await this.#embed.release();
    await this.#decoder.release();
  }

  async #run(ids: Int32Array, batch: number): Promise<void> {
    const rows = Array.from({ length: batch }, () => [...ids]).flat();
    const total = this.#length + ids.length;
    const positions = rows.map((_, index) => this.#length + (index % ids.length));
    const dims = [batch, ids.length];
    const { inputs_embeds: embeds } = await this.#embed.run({ input_ids: int64(rows, dims) });
    if (embeds === undefined) throw new Error('the embedding graph has no output inputs_embeds');
    const outputs = await this.#decoder.run({
      ...this.#past,
      inputs_embeds: embeds,
      attention_mask: int64(new Array(batch * total).fill(1), [batch, total]),
      position_ids: int64(positions, dims),
    });
    this.#length = total;
    for (const [name, tensor] of Object.entries<Tensor>(outputs)) {
      if (name.startsWith('present.')) this.#past[name.replace('present.', 'past_key_values.')] = tensor;
    }
  }
}

function int64(values: readonly number[], dims: readonly number[]): Tensor {
  return new Tensor('int64', BigInt64Array.from(values, BigInt), dims);
}
