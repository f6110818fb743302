/**
 * transformers.js answering the same requests on the same files, in a process of its own: its inference runs on the
 * thread that calls it, and its native library should not share a process with ours.
 *
 *     node transformers-child.ts MODEL_DIRECTORY DTYPE
 */
import '../../actors/inference/telemetry.ts'; // its own onnxruntime collects, too
import { basename, dirname } from 'node:path';
import process from 'node:process';
import {
  AutoModelForImageTextToText,
  AutoProcessor,
  env,
  RawImage,
  type Tensor,
} from '@huggingface/transformers';
import { precisionOf } from '../generated-model/precision.ts';
import type { PeerAnswer, PeerRequest, PeerTask } from './peer-request.ts';

const [directory = '', dtype] = process.argv.slice(2);
env.allowRemoteModels = false;
env.localModelPath = dirname(directory);

const processor = await AutoProcessor.from_pretrained(basename(directory));
const model = await AutoModelForImageTextToText.from_pretrained(basename(directory), {
  dtype: precisionOf(dtype),
  device: 'cpu',
});

type Answer = Omit<PeerAnswer, 'ms'>;
type Conversation = Parameters<typeof processor.apply_chat_template>[0];

/** One call of `generate` for all of `requests`, which have prompts of one length when they are several. */
async function generate(requests: readonly PeerRequest[]): Promise<Answer> {
  const prompts = requests.map(({ messages }) => {
    // The types know only text messages, and the text is a text, as tokenizing was not asked for.
    const conversation = messages as unknown as Conversation;
    return processor.apply_chat_template(conversation, { add_generation_prompt: true }) as string;
  });
  const paths = requests.flatMap(({ messages }) =>
    messages.flatMap(({ content }) => content.flatMap((part) => (part.type === 'image' ? [part.image] : []))),
  );
  const images = await Promise.all(paths.map((path) => RawImage.read(path)));
  const [first = ''] = prompts;
  const text = prompts.length === 1 ? first : prompts;
  // The processor of this family cannot do without images.
  const inputs =
    images.length === 0
      ? processor.tokenizer?.(text, { padding: true, add_special_tokens: false })
      : await processor(text, images);
  const maxNewTokens = Math.max(...requests.map(({ maxTokens }) => maxTokens));
  // With default options `generate` gives the tensor of token ids, prompt included.
  const output = (await model.generate({
    ...inputs,
    max_new_tokens: maxNewTokens,
    do_sample: false,
  })) as Tensor;
  const promptLength: number = inputs.input_ids.dims.at(-1);
  const ids = output.slice(null, [promptLength, output.dims.at(-1) ?? promptLength]);
  return {
    texts: processor.batch_decode(ids, { skip_special_tokens: true }),
    tokens: ids.dims.reduce((product, size) => product * size, 1),
    promptTokens: promptLength * requests.length,
  };
}

async function answerAll({ requests, order }: PeerTask): Promise<Answer> {
  if (order === 'batch') return await generate(requests);
  const answers: Answer[] = [];
  if (order === 'together') answers.push(...(await Promise.all(requests.map((one) => generate([one])))));
  else for (const one of requests) answers.push(await generate([one]));
  return {
    texts: answers.flatMap(({ texts }) => texts),
    tokens: answers.reduce((sum, { tokens }) => sum + tokens, 0),
    promptTokens: answers.reduce((sum, { promptTokens }) => sum + promptTokens, 0),
  };
}

process.on('message', async (task: PeerTask) => {
  const startedAt = performance.now();
  const answer = await answerAll(task);
  process.send?.({ ms: performance.now() - startedAt, ...answer } satisfies PeerAnswer);
});
process.send?.('ready');
