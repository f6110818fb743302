/**
 * A validated conversation and the plans of its images to the ids the language model reads: the prompt after the
 * chat template, with one image token for each position that an image embedding will take.
 */

import { InputError, ModelError } from '../errors.ts';
import type { ImagePlan } from '../families/family.ts';
import type { ChatMessage, ChatRequest, TokenPositions } from '../generation.ts';
import { countTokens } from '../model/count-tokens.ts';
import type { ModelGeometry } from '../model/geometry.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import type { PromptModel } from './prompt-model.ts';
import { toTemplateMessages } from './template-messages.ts';

/** What of a request's tools is a part of its prompt. */
export type ToolsOfPrompt = Pick<ChatRequest, 'tools' | 'toolChoice' | 'toolStyle'>;

export interface PreparedPrompt {
  /** int32 `[promptLength]`. */
  readonly promptIds: Int32Array<ArrayBuffer>;
  /** Where its tokens lie; undefined for 0, 1, 2 … */
  readonly positions: TokenPositions | undefined;
  /** How many of them stand for image content. */
  readonly imageTokenCount: number;
}

/**
 * @param messages validated (see `validateMessages`)
 * @param plans of the images of `messages`, in order
 * @param tools validated (see `validateTools`)
 * @throws InputError PROMPT_TOO_LONG, CHAT_TEMPLATE_REFUSED, IMAGE_COUNT_MISMATCH
 * @throws ModelError MODEL_UNSUPPORTED when configuration and tokenizer mean different tokens
 */
export function preparePrompt(
  { directory, images, encoder }: Pick<PromptModel, 'directory' | 'images' | 'encoder'>,
  messages: readonly ChatMessage[],
  plans: readonly ImagePlan[],
  { tools = [], toolChoice, toolStyle: style = 'hermes' }: ToolsOfPrompt = {},
): PreparedPrompt {
  const { geometry } = directory;
  const { imageTokenId } = geometry;
  const imageTokenCount = plans.reduce((sum, plan) => sum + plan.tokens, 0);
  const conversation = toTemplateMessages(messages, style);
  // Whoever may call nothing is not told of what there would be.
  const offered = toolChoice === 'none' ? [] : tools;
  const withTools =
    offered.length > 0 ||
    conversation.some((one) => one.resultOf !== undefined || one.toolCalls !== undefined);
  // Found out before the work of encoding, where it can be.
  const least = imageTokenCount + encoder.leastTokens(conversation, offered);
  assertRoom(least, imageTokenCount, geometry);
  const expansions = plans.map((plan) => plan.expand());
  const promptIds = Int32Array.from(
    encoder.encode(conversation, expansions, withTools ? { tools: offered, style } : undefined),
  );
  assertRoom(promptIds.length, imageTokenCount, geometry);

  const placed = countTokens(promptIds, imageTokenId);
  // User text cannot make image tokens.
  if (placed !== imageTokenCount) throw inconsistent(directory, placed, imageTokenCount);
  return { promptIds, positions: images.positions?.(promptIds, plans), imageTokenCount };
}

function inconsistent({ path, geometry }: ModelDirectory, placed: number, planned: number): ModelError {
  const problem = `A prompt has ${placed} image tokens (${geometry.imageTokenId}), and its images need ${planned}`;
  const remedy = 'Use a model whose configuration and tokenizer agree on the image token';
  return new ModelError('MODEL_UNSUPPORTED', problem, { path, remedy });
}

/** @throws InputError PROMPT_TOO_LONG unless a prompt of that length leaves room for an answer */
export function assertRoom(
  length: number,
  imageTokens: number,
  { contextLength, contextReason }: ModelGeometry,
  field = 'messages',
): void {
  if (length < contextLength) return;
  const why = contextReason === undefined ? '' : `: ${contextReason}`;
  throw new InputError('PROMPT_TOO_LONG', `the prompt fills the context of ${contextLength} tokens${why}`, {
    field,
    value: `${length} tokens, ${imageTokens} of them for images`,
    remedy:
      field === 'messages' ? 'Shorten the conversation or send fewer or smaller images.' : 'Shorten it.',
  });
}
