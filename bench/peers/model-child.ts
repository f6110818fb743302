/**
 * transformers.js generating from inputs that are made already: token ids and pixels. Its own image processors resize
 * with another library, so only this way both run the same model on the same numbers.
 *
 *     node model-child.ts MODEL_DIRECTORY
 */
import '../../actors/inference/telemetry.ts'; // its own onnxruntime collects, too
import { basename, dirname } from 'node:path';
import process from 'node:process';
import { AutoModelForImageTextToText, env, Tensor } from '@huggingface/transformers';
import type { ModelAnswer, ModelTask } from './model-task.ts';

const [directory = ''] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = dirname(directory);

const model = await AutoModelForImageTextToText.from_pretrained(basename(directory), {
  dtype: 'fp32',
  device: 'cpu',
});

/** With the mask that models of the five-dimensional kind want: all of a tile counts. */
function pixelInputs({ data, dims }: NonNullable<ModelTask['pixels']>): Record<string, Tensor> {
  const pixel_values = new Tensor('float32', Float32Array.from(data), [...dims]);
  const [batch = 1, tiles = 1, , height = 1, width = 1] = dims;
  if (dims.length !== 5) return { pixel_values };
  const whole = new Uint8Array(batch * tiles * height * width).fill(1);
  return { pixel_values, pixel_attention_mask: new Tensor('bool', whole, [batch, tiles, height, width]) };
}

async function generate({ ids, pixels, grids, maxTokens }: ModelTask): Promise<number[]> {
  const int64 = (values: readonly number[], dims: readonly number[]) =>
    new Tensor('int64', BigInt64Array.from(values, BigInt), [...dims]);
  const output = await model.generate({
    input_ids: int64(ids, [1, ids.length]),
    attention_mask: int64(
      ids.map(() => 1),
      [1, ids.length],
    ),
    ...(pixels === undefined ? {} : pixelInputs(pixels)),
    ...(grids === undefined ? {} : { image_grid_thw: int64(grids.flat(), [grids.length, 3]) }),
    max_new_tokens: maxTokens,
    min_new_tokens: maxTokens,
    do_sample: false,
  });
  // With default options `generate` gives the tensor of token ids, prompt included.
  const tokens = output as Tensor;
  return [...(tokens.data as BigInt64Array)].slice(ids.length).map(Number);
}

process.on('message', async (task: ModelTask) => {
  const answer: ModelAnswer = await generate(task).then(
    (tokenIds) => ({ tokenIds }),
    (error: unknown) => ({ error: String(error) }),
  );
  process.send?.(answer);
});
process.send?.('ready');
