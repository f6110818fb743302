/**
 * An answer that exists in part already, put behind its prompt: the language model reads both, and goes on. What was drawn
 * and counted for it before is made up for in `actors/pd/requests/sequence.ts`.
 */
import { InputError } from '../errors.ts';
import type { ChatRequest, ResolvedSampling, TokenPositions } from '../generation.ts';
import type { ModelGeometry } from '../model/geometry.ts';
import { shownValue } from '../shown-value.ts';

/**
 * @param chat whose `answerPrefix` is anything
 * @throws InputError INVALID_ANSWER_PREFIX
 */
export function checkAnswerPrefix(
  chat: ChatRequest,
  sampling: ResolvedSampling,
  geometry: ModelGeometry,
): readonly number[] {
  const prefix: unknown = chat.answerPrefix;
  if (prefix === undefined) return [];
  const { vocabSize, imageTokenId, contextLength, seesAhead } = geometry;
  if (!Array.isArray(prefix) || prefix.length > contextLength) {
    throw invalid('answerPrefix', prefix, `Give a list of at most ${contextLength} token ids.`);
  }
  const ids: readonly unknown[] = prefix;
  for (const [i, id] of ids.entries()) {
    const isToken = typeof id === 'number' && Number.isInteger(id) && id >= 0 && id < vocabSize;
    if (isToken && id !== imageTokenId) continue;
    throw invalid(`answerPrefix[${i}]`, id, `Give a token id below ${vocabSize}, and not that of images.`);
  }
  const companion = ids.length > 0 ? refusedBeside(chat, sampling) : undefined;
  if (companion !== undefined) {
    throw invalid('answerPrefix', prefix, `Leave it out, or ${companion}: they do not go together.`);
  }
  // Its tokens would see those behind them, which those of an answer do not.
  if (ids.length > 0 && seesAhead === 'prompt') {
    throw invalid('answerPrefix', prefix, 'Leave it out: this model reads a prompt in both directions.');
  }
  return prefix;
}

/** What has a state, or says something of each token, that the tokens alone do not bring back. */
function refusedBeside({ constraint, tools = [] }: ChatRequest, { n, logprobs }: ResolvedSampling) {
  if (n > 1) return 'ask for one answer (n)';
  if (logprobs) return 'ask for no logprobs';
  if (tools.length > 0) return 'give no tools';
  return constraint === undefined ? undefined : 'give no constraint';
}

export interface Prompt {
  /** int32 `[promptLength]` */
  readonly promptIds: Int32Array<ArrayBuffer>;
  readonly positions: TokenPositions | undefined;
}

export function withAnswerPrefix({ promptIds, positions }: Prompt, prefix: readonly number[]): Prompt {
  if (prefix.length === 0) return { promptIds, positions };
  const ids = new Int32Array(promptIds.length + prefix.length);
  ids.set(promptIds);
  ids.set(prefix, promptIds.length);
  return { promptIds: ids, positions: positions && continued(positions, promptIds.length, prefix.length) };
}

/** One after the other in all rows, as the tokens of an answer lie. */
function continued({ ids, next }: TokenPositions, length: number, added: number): TokenPositions {
  const axes = ids.length / length;
  const longer = new Int32Array(axes * (length + added));
  for (let axis = 0; axis < axes; axis++) {
    const start = axis * (length + added);
    longer.set(ids.subarray(axis * length, (axis + 1) * length), start);
    for (let i = 0; i < added; i++) longer[start + length + i] = next + i;
  }
  return { ids: longer, next: next + added };
}

function invalid(field: string, value: unknown, remedy: string): InputError {
  const facts = { field, value: shownValue(value), remedy };
  return new InputError('INVALID_ANSWER_PREFIX', 'is no beginning of an answer', facts);
}
