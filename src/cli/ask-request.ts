/**
 * The request of `troupe ask`: made from its arguments and checked as far as that is cheap, so that a typing
 * error does not wait for a model to load. What only decoding an image can tell is found by the processor.
 */
import { InputError } from '../../actors/errors.ts';
import type { ChatMessage, ImageSource } from '../../actors/generation.ts';
import { resolveSampling } from '../../actors/processor/resolve-sampling.ts';
import { validateMessages } from '../../actors/processor/validate-messages.ts';
import type { ChatOptions } from '../chat-types.ts';
import type { TroupeOptions } from '../config/options.ts';
import { present } from '../sampling-fields.ts';
import { askedConstraint, constraintFlag } from './asked-constraint.ts';
import { ASK_SETTINGS } from './engine-settings.ts';
import { type AskFlags, samplingOf } from './flags.ts';
import { readImages } from './image-argument.ts';

/** @throws InputError; the signal's reason when it is aborted */
export async function askRequest(
  question: string,
  flags: AskFlags,
  engine: Pick<TroupeOptions, 'limits' | 'images'>,
  signal: AbortSignal,
): Promise<ChatOptions> {
  if (question.trim() === '') throw emptyQuestion();
  const sampling = samplingOf(flags);
  resolveSampling(sampling, {}, 1);
  const names = flags.image ?? [];
  const constraint = await askedConstraint(flags);
  validateMessages(messagesOf(question, names, flags.system), present(engine.limits ?? {}, ['maxImages']));
  return {
    ...sampling,
    ...(constraint === undefined ? {} : { constraint }),
    messages: messagesOf(question, await readImages(names, engine, signal), flags.system),
    signal,
  };
}

/** Likelier a slip, a variable that is not set say, than a wish. */
function emptyQuestion(): InputError {
  const facts = { field: 'question', value: null, remedy: 'Ask something' };
  return new InputError('EMPTY_QUESTION', 'asks nothing', facts);
}

/** The images come first: the question then refers to what the model has seen. */
function messagesOf(
  question: string,
  images: readonly ImageSource[],
  system: string | undefined,
): ChatMessage[] {
  const imageParts = images.map((image) => ({ type: 'image', image }) as const);
  const user: ChatMessage = { role: 'user', content: [...imageParts, { type: 'text', text: question }] };
  return system === undefined ? [user] : [{ role: 'system', content: system }, user];
}

/** Where the API speaks of `messages[0].content[1].image`, the command line has its second `--image`. */
export function inCallersWords(error: unknown, flags: AskFlags): unknown {
  if (!(error instanceof InputError)) return error;
  const field = String(error.details.field);
  const message = error.message.replace(field, argumentFor(field, error.code, flags));
  error.message = message.replace(/\blimits\.\w+/, flagOf);
  return error;
}

/** `--max-images` of `limits.maxImages`. */
function flagOf(option: string): string {
  return ASK_SETTINGS.find(({ path }) => path.join('.') === option)?.name ?? option;
}

function argumentFor(field: string, code: string, flags: AskFlags): string {
  const { image: images = [] } = flags;
  const part = /^messages\[\d+\]\.content\[(\d+)\]/.exec(field)?.[1];
  const image = part === undefined ? undefined : images[Number(part)];
  if (image !== undefined) return `--image ${shortened(image)}`;
  if (field.startsWith('messages')) return code === 'TOO_MANY_IMAGES' ? '--image' : 'question';
  if (field.startsWith('constraint')) return constraintFlag(field, flags);
  return field.startsWith('stop') ? '--stop' : field;
}

function shortened(text: string): string {
  return text.length <= 60 ? text : `${text.slice(0, 59)}…`;
}
