/**
 * transformers.js answering the same requests on the same files, in a process of its own: its inference runs on the
 * thread that calls it, and its native library should not share a process with ours.
 */
import { fileURLToPath } from 'node:url';
import { AutoModelForVision2Seq, AutoProcessor, env, RawImage } from '@huggingface/transformers';
import type { GoldenRequest } from '../golden-requests.ts';

env.allowRemoteModels = false;
env.localModelPath = fileURLToPath(new URL('../../models/', import.meta.url));

const processor = await AutoProcessor.from_pretrained('default');
const model = await AutoModelForVision2Seq.from_pretrained('default', { dtype: 'fp32', device: 'cpu' });

async function answer({ picture, question }: GoldenRequest): Promise<string> {
  const image = await RawImage.read(picture);
  const content = [{ type: 'image' }, { type: 'text', text: question }];
  // The types know only text messages.
  const messages = [{ role: 'user', content }] as unknown as Parameters<
    typeof processor.apply_chat_template
  >[0];
  const prompt = processor.apply_chat_template(messages, { add_generation_prompt: true });
  const inputs = await processor(prompt, [image]);
  const output = await model.generate({ ...inputs, max_new_tokens: 64, do_sample: false });
  const promptLength: number = inputs.input_ids.dims.at(-1);
  // With default options `generate` gives the tensor of token ids, prompt included.
  const ids = (output as { slice(...ranges: unknown[]): unknown }).slice(null, [promptLength, null]);
  const [text = ''] = processor.batch_decode(ids as Parameters<typeof processor.batch_decode>[0], {
    skip_special_tokens: true,
  });
  return text;
}

process.on('message', async (requests: GoldenRequest[]) => {
  const startedAt = performance.now();
  const texts = await Promise.all(requests.map(answer));
  process.send?.({ ms: performance.now() - startedAt, texts });
});
process.send?.('ready');
