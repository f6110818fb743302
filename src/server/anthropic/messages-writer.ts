/** Writes answers of the Messages API: whole, or as its events. */
import type { FinishReason, Usage } from '../../../actors/generation.ts';
import type { ChatResult } from '../../chat-types.ts';
import type { AnswerEvent } from '../endpoint/answer-events.ts';
import type { AnswerFormat, AnswerHead, AnswerWriter } from '../endpoint/answer-format.ts';
import type { ServerEvent } from '../http/event-stream.ts';
import type { ApiError } from '../openai/api-error.ts';
import { troupeDetails } from '../openai/chat-response.ts';
import { AnswerBlocks, type Block, type BlockChange, blocksOf } from '../translation/answer-blocks.ts';
import { messagesError } from './error-body.ts';

export const messagesFormat: AnswerFormat<undefined> = {
  idPrefix: 'msg_',
  whole: (head, result) => ({
    ...messageOf(head, blocksOf(result).map(wholeBlock)),
    ...endOf(result),
    usage: usageOf(result.usage),
    troupe: troupeDetails(result),
  }),
  stream: (head) => new MessagesWriter(head),
  failure: messagesError,
};

class MessagesWriter implements AnswerWriter {
  readonly #head: AnswerHead;
  readonly #answer = new AnswerBlocks();

  constructor(head: AnswerHead) {
    this.#head = head;
  }

  /** How long the prompt is is known at the end, and told there. */
  begin(): ServerEvent[] {
    const usage = usageOf({ promptTokens: 0, imageTokens: 0, cachedTokens: 0, completionTokens: 0 });
    const message = { ...messageOf(this.#head, []), stop_reason: null, stop_sequence: null, usage };
    return [event('message_start', { message })];
  }

  event(event: AnswerEvent): ServerEvent[] {
    return this.#answer.push(event).map(eventOf);
  }

  end(result: ChatResult): ServerEvent[] {
    const end = { delta: endOf(result), usage: usageOf(result.usage), troupe: troupeDetails(result) };
    return [...this.#answer.close().map(eventOf), event('message_delta', end), event('message_stop', {})];
  }

  failed(error: ApiError): ServerEvent[] {
    return [{ name: 'error', data: messagesError(error) }];
  }
}

function messageOf({ id, model }: AnswerHead, content: readonly object[]): object {
  return { id, type: 'message', role: 'assistant', model, content };
}

const STOP_REASONS: Readonly<Record<FinishReason, string>> = {
  stop: 'end_turn',
  length: 'max_tokens',
  tool_calls: 'tool_use',
};

function endOf({ finishReason, stopString }: ChatResult): object {
  if (stopString !== undefined) return { stop_reason: 'stop_sequence', stop_sequence: stopString };
  return { stop_reason: STOP_REASONS[finishReason], stop_sequence: null };
}

/** `input_tokens` are those that were not read from a cache. */
function usageOf({ promptTokens, cachedTokens, completionTokens }: Usage): object {
  return {
    input_tokens: promptTokens - cachedTokens,
    cache_creation_input_tokens: 0,
    cache_read_input_tokens: cachedTokens,
    output_tokens: completionTokens,
    service_tier: 'standard',
  };
}

function wholeBlock(block: Block): object {
  if (block.kind === 'text') return { type: 'text', text: block.text, citations: null };
  return { type: 'tool_use', id: block.id, name: block.name, input: inputOf(block.arguments) };
}

/** An answer that was cut short may have half of an object, of which there is nothing to show. */
function inputOf(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    return {};
  }
}

function eventOf(change: BlockChange): ServerEvent {
  const { block } = change;
  const { index } = block;
  switch (change.type) {
    case 'opened': {
      const content_block =
        block.kind === 'text'
          ? { type: 'text', text: '', citations: null }
          : { type: 'tool_use', id: block.id, name: block.name, input: {} };
      return event('content_block_start', { index, content_block });
    }
    case 'text':
      return event('content_block_delta', { index, delta: { type: 'text_delta', text: change.more } });
    case 'arguments': {
      const delta = { type: 'input_json_delta', partial_json: change.more };
      return event('content_block_delta', { index, delta });
    }
    case 'closed':
      return event('content_block_stop', { index });
    default:
      return change satisfies never;
  }
}

function event(type: string, fields: object): ServerEvent {
  return { name: type, data: { type, ...fields } };
}
