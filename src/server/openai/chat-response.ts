/** Answers in the shape of OpenAI's chat completions, whole and in chunks. */
import type { ChatChoice, ChatResult } from '../../chat-types.ts';
import type { AnswerEvent } from '../endpoint/answer-events.ts';
import type { AnswerFormat, AnswerHead, AnswerWriter } from '../endpoint/answer-format.ts';
import type { ServerEvent } from '../http/event-stream.ts';
import type { ChatDetails } from './chat-request.ts';
import { logprobsOf } from './logprobs.ts';
import { usageOf } from './usage.ts';

export const chatFormat: AnswerFormat<ChatDetails> = {
  idPrefix: 'chatcmpl-',
  whole: (head, result) => ({
    ...head,
    object: 'chat.completion',
    choices: result.choices.map(wholeChoice),
    usage: usageOf(result.usage),
    troupe: troupeDetails(result),
  }),
  stream: (head, details) => new ChunkWriter(head, details),
  failure: (error) => error.body,
};

/** What this server adds to the API: where the time went and what travelled. */
export function troupeDetails({ timings, mode, bytesBetweenActors }: ChatResult): object {
  return { timings, mode, bytes_between_actors: bytesBetweenActors };
}

function wholeChoice({ index, text, toolCalls = [], finishReason, logprobs }: ChatChoice): object {
  const calls = toolCalls.map(({ id, name, arguments: given }) => ({
    id,
    type: 'function',
    function: { name, arguments: given },
  }));
  const content = calls.length > 0 && text === '' ? null : text;
  const message = {
    role: 'assistant',
    content,
    refusal: null,
    ...(calls.length > 0 && { tool_calls: calls }),
  };
  return { index, message, logprobs: logprobsOf(logprobs), finish_reason: finishReason };
}

class ChunkWriter implements AnswerWriter {
  readonly #common: object;
  /** All chunks but the last say null, where the client asked for one with usage. */
  readonly #usage: object;
  readonly #includeUsage: boolean;
  /** Choices that have begun. */
  readonly #begun = new Set<number>();
  /** How the choices ended but the last of them, whose chunk says what the answer took. */
  #lastEnd: readonly [choice: number, reason: string] | undefined;

  constructor(head: AnswerHead, { includeUsage }: ChatDetails) {
    this.#common = { ...head, object: 'chat.completion.chunk' };
    this.#usage = includeUsage ? { usage: null } : {};
    this.#includeUsage = includeUsage;
  }

  begin(): readonly ServerEvent[] {
    return this.#role(0);
  }

  event(event: AnswerEvent): readonly ServerEvent[] {
    const { choice } = event;
    return [...this.#role(choice), ...this.#event(event)];
  }

  end(result: ChatResult): readonly ServerEvent[] {
    const [choice, reason] = this.#lastEnd ?? [0, result.finishReason];
    const data = { ...this.#chunk(choice, {}, null, reason), troupe: troupeDetails(result) };
    const usage = { ...this.#common, choices: [], usage: usageOf(result.usage) };
    return [{ data }, ...(this.#includeUsage ? [{ data: usage }] : []), { data: '[DONE]' }];
  }

  /** Without the mark of a good end. */
  failed(error: { readonly body: object }): readonly ServerEvent[] {
    return [{ data: error.body }];
  }

  #role(choice: number): readonly ServerEvent[] {
    if (this.#begun.has(choice)) return [];
    this.#begun.add(choice);
    return [{ data: this.#chunk(choice, { role: 'assistant', content: '' }) }];
  }

  #event(event: AnswerEvent): readonly ServerEvent[] {
    const { choice } = event;
    switch (event.type) {
      case 'text':
        return [{ data: this.#chunk(choice, { content: event.text }, logprobsOf(event.logprobs)) }];
      case 'tool_call': {
        const { index, id, name } = event;
        return this.#call(choice, { index, id, type: 'function', function: { name, arguments: '' } });
      }
      case 'tool_arguments':
        return this.#call(choice, { index: event.index, function: { arguments: event.text } });
      case 'tool_call_end':
        return [];
      case 'finish': {
        const before = this.#lastEnd;
        this.#lastEnd = [choice, event.reason];
        return before === undefined ? [] : [{ data: this.#chunk(before[0], {}, null, before[1]) }];
      }
      default:
        return event satisfies never;
    }
  }

  #call(choice: number, call: object): readonly ServerEvent[] {
    return [{ data: this.#chunk(choice, { tool_calls: [call] }) }];
  }

  #chunk(
    choice: number,
    delta: object,
    logprobs: object | null = null,
    reason: string | null = null,
  ): object {
    const choices = [{ index: choice, delta, logprobs, finish_reason: reason }];
    return { ...this.#common, choices, ...this.#usage };
  }
}
