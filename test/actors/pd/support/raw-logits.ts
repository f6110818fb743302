/** The pilot model's logits without anything of ours: its graphs as they came, the whole text in one run. */
import { join } from 'node:path';
import { InferenceSession, Tensor } from '../../../../actors/inference/onnxruntime.ts';
import { PILOT_MODEL } from '../../../support/pilot-model.ts';
import type { EncodedGolden } from './pilot.ts';

const HIDDEN = 128;
const IMAGE_TOKENS = 25;

const session = (name: string) => InferenceSession.create(join(PILOT_MODEL, 'onnx', `${name}.onnx`));

/** @returns for each token of `answer` the logarithms of the softmax of the logits that predict it, `[vocabulary]` */
export async function rawLogprobs(golden: EncodedGolden, answer: readonly number[]): Promise<number[][]> {
  const [embed, decoder] = await Promise.all([session('embed_tokens'), session('decoder_model_merged')]);
  const ids = [...golden.promptIds, ...answer.slice(0, -1)];
  const length = ids.length;
  const dims = [1, length];
  const int64 = (numbers: readonly number[]) =>
    new Tensor('int64', BigInt64Array.from(numbers, BigInt), dims);
  const { inputs_embeds: embeds } = await embed.run({ input_ids: int64(ids) });
  const data = embeds?.data as Float32Array; // the graph's output is float32
  const first = ids.findIndex((id, i) => ids.slice(i, i + IMAGE_TOKENS).every((next) => next === id));
  data.set(golden.embeddings, first * HIDDEN);
  const past = decoder.inputNames.filter((name) => name.startsWith('past_key_values'));
  const { logits } = await decoder.run({
    inputs_embeds: new Tensor('float32', data, [1, length, HIDDEN]),
    attention_mask: int64(ids.map(() => 1)),
    position_ids: int64(ids.map((_, i) => i)),
    ...Object.fromEntries(
      past.map((name) => [name, new Tensor('float32', new Float32Array(0), [1, 2, 0, 32])]),
    ),
  });
  await Promise.all([embed.release(), decoder.release()]);
  const vocabulary = logits?.dims[2] ?? 0;
  const all = logits?.data as Float32Array; // the graph's output is float32
  return answer.map((_, i) => {
    const start = (golden.promptIds.length - 1 + i) * vocabulary;
    const row = [...all.subarray(start, start + vocabulary)];
    const norm = Math.log(row.reduce((sum, logit) => sum + Math.exp(logit), 0));
    return row.map((logit) => logit - norm);
  });
}
