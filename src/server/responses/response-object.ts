/** An answer in the shape of OpenAI's Responses API. */
import type { FinishReason, Usage } from '../../../actors/generation.ts';
import type { ChatResult } from '../../chat-types.ts';
import type { AnswerHead } from '../endpoint/answer-format.ts';
import { troupeDetails } from '../openai/chat-response.ts';
import type { JsonObject } from '../openai/field-rule.ts';
import { tokenLogprob } from '../openai/logprobs.ts';
import type { Block, TextBlock } from '../translation/answer-blocks.ts';

/** What an answer repeats of its request, or is shaped by. */
export interface ResponseDetails {
  /** Fields of the request, as they came. */
  readonly repeated: JsonObject;
  /** Whether texts come with how likely their tokens were. */
  readonly logprobs: boolean;
}

export const RESPONSE_PREFIX = 'resp_';

type Status = 'in_progress' | 'completed' | 'incomplete' | 'failed';

interface ResponseState {
  readonly status: Status;
  readonly output: readonly object[];
  readonly error?: object;
  readonly usage?: object;
}

/** All fields that OpenAI's have, with what the client asked for repeated. */
export function responseObject(
  { id, created, model }: AnswerHead,
  { repeated: echo }: ResponseDetails,
  { status, output, error, usage }: ResponseState,
): object {
  return {
    ...{ id, object: 'response', created_at: created, status, background: false },
    ...(status === 'completed' ? { completed_at: Math.floor(Date.now() / 1000) } : {}),
    error: error ?? null,
    incomplete_details: status === 'incomplete' ? { reason: 'max_output_tokens' } : null,
    instructions: echo.instructions ?? null,
    max_output_tokens: echo.max_output_tokens ?? null,
    max_tool_calls: echo.max_tool_calls ?? null,
    ...{ model, output },
    parallel_tool_calls: echo.parallel_tool_calls ?? true,
    previous_response_id: null,
    prompt_cache_key: echo.prompt_cache_key ?? null,
    reasoning: { effort: null, summary: null },
    safety_identifier: echo.safety_identifier ?? null,
    ...{ service_tier: 'default', store: false },
    temperature: echo.temperature ?? null,
    text: { format: { type: 'text' }, verbosity: 'medium', ...givenOf(echo.text) },
    tool_choice: echo.tool_choice ?? 'auto',
    tools: echo.tools ?? [],
    top_logprobs: echo.top_logprobs ?? 0,
    top_p: echo.top_p ?? null,
    truncation: 'disabled',
    usage: usage ?? null,
    user: echo.user ?? null,
    metadata: echo.metadata ?? {},
  };
}

function givenOf(text: unknown): JsonObject {
  const entries = Object.entries(text ?? {}).filter(([, value]) => value !== null);
  return Object.fromEntries(entries);
}

/** An item of the output. @param status `in_progress` until it is whole */
export function itemOf(block: Block, head: AnswerHead, status: Status, logprobs: boolean): object {
  const id = itemId(block, head);
  if (block.kind === 'call') {
    const { id: call_id, name, arguments: text } = block;
    return { id, type: 'function_call', status, arguments: text, call_id, name };
  }
  const content = status === 'in_progress' ? [] : [textPart(block, logprobs)];
  return { id, type: 'message', status, content, role: 'assistant' };
}

/** Of the answer's own id and its place, so that no two items of anybody have the same. */
export function itemId({ kind, index }: Block, { id }: AnswerHead): string {
  const key = id.slice(RESPONSE_PREFIX.length).replaceAll('-', '');
  return `${kind === 'text' ? 'msg' : 'fc'}_${key}${String(index).padStart(4, '0')}`;
}

export function textPart({ text, logprobs }: TextBlock, withLogprobs: boolean): object {
  return {
    ...{ type: 'output_text', annotations: [] },
    logprobs: withLogprobs ? logprobs.map(tokenLogprob) : [],
    text,
  };
}

export function statusOf({ finishReason }: ChatResult): 'completed' | 'incomplete' {
  return STATUS[finishReason];
}

const STATUS: Readonly<Record<FinishReason, 'completed' | 'incomplete'>> = {
  stop: 'completed',
  tool_calls: 'completed',
  length: 'incomplete',
};

export function responseUsage({ promptTokens, imageTokens, cachedTokens, completionTokens }: Usage): object {
  return {
    input_tokens: promptTokens,
    input_tokens_details: {
      cached_tokens: cachedTokens,
      cache_write_tokens: 0,
      image_tokens: imageTokens,
      text_tokens: promptTokens - imageTokens,
    },
    output_tokens: completionTokens,
    output_tokens_details: { reasoning_tokens: 0 },
    total_tokens: promptTokens + completionTokens,
  };
}

export function finished(
  head: AnswerHead,
  details: ResponseDetails,
  blocks: readonly Block[],
  result: ChatResult,
): object {
  const status = statusOf(result);
  const output = blocks.map((block, at) =>
    // What comes last is what was cut short.
    itemOf(block, head, at === blocks.length - 1 ? status : 'completed', details.logprobs),
  );
  const usage = responseUsage(result.usage);
  return { ...responseObject(head, details, { status, output, usage }), troupe: troupeDetails(result) };
}
