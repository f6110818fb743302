/** Answers in the shape of OpenAI's text completions, whole and in chunks. */
import type { TokenLogprob } from '../../../actors/generation.ts';
import type { ChatResult } from '../../chat-types.ts';
import type { AnswerEvent } from '../endpoint/answer-events.ts';
import type { AnswerFormat, AnswerHead, AnswerWriter } from '../endpoint/answer-format.ts';
import type { ServerEvent } from '../http/event-stream.ts';
import { troupeDetails } from '../openai/chat-response.ts';
import { usageOf } from '../openai/usage.ts';
import type { CompletionDetails } from './completion-request.ts';

const OBJECT = 'text_completion';

export const completionFormat: AnswerFormat<CompletionDetails> = {
  idPrefix: 'cmpl-',
  whole: (head, result) => ({
    ...head,
    object: OBJECT,
    choices: result.choices.map(({ index, text, finishReason, logprobs }) => ({
      ...{ index, text },
      logprobs: logprobs === undefined ? null : legacyLogprobs(logprobs, 0),
      finish_reason: finishReason,
    })),
    usage: usageOf(result.usage),
    troupe: troupeDetails(result),
  }),
  stream: (head, details) => new CompletionWriter(head, details),
  failure: (error) => error.body,
};

class CompletionWriter implements AnswerWriter {
  readonly #common: object;
  readonly #usage: object;
  readonly #includeUsage: boolean;
  /** Characters of the tokens of each choice that were told about. */
  readonly #offsets = new Map<number, number>();
  /** The last choice's end, whose chunk says what the answer took. */
  #lastEnd: readonly [choice: number, reason: string] | undefined;

  constructor(head: AnswerHead, { includeUsage }: CompletionDetails) {
    this.#common = { ...head, object: OBJECT };
    this.#includeUsage = includeUsage;
    this.#usage = includeUsage ? { usage: null } : {};
  }

  begin(): readonly ServerEvent[] {
    return [];
  }

  event(event: AnswerEvent): readonly ServerEvent[] {
    const { choice } = event;
    if (event.type === 'text') {
      const { text, logprobs } = event;
      return [
        { data: this.#chunk(choice, text, logprobs === undefined ? null : this.#logprobs(choice, logprobs)) },
      ];
    }
    if (event.type !== 'finish') return []; // nothing is called in a completion
    const before = this.#lastEnd;
    this.#lastEnd = [choice, event.reason];
    return before === undefined ? [] : [{ data: this.#chunk(before[0], '', null, before[1]) }];
  }

  end(result: ChatResult): readonly ServerEvent[] {
    const [choice, reason] = this.#lastEnd ?? [0, result.finishReason];
    const data = { ...this.#chunk(choice, '', null, reason), troupe: troupeDetails(result) };
    const usage = { ...this.#common, choices: [], usage: usageOf(result.usage) };
    return [{ data }, ...(this.#includeUsage ? [{ data: usage }] : []), { data: '[DONE]' }];
  }

  /** Without the mark of a good end. */
  failed(error: { readonly body: object }): readonly ServerEvent[] {
    return [{ data: error.body }];
  }

  #logprobs(choice: number, logprobs: readonly TokenLogprob[]): object {
    const offset = this.#offsets.get(choice) ?? 0;
    const length = logprobs.reduce((sum, { text }) => sum + text.length, offset);
    this.#offsets.set(choice, length);
    return legacyLogprobs(logprobs, offset);
  }

  #chunk(choice: number, text: string, logprobs: object | null, reason: string | null = null): object {
    const choices = [{ index: choice, text, logprobs, finish_reason: reason }];
    return { ...this.#common, choices, ...this.#usage };
  }
}

/**
 * In the older form: a list for each kind of fact. Of two tokens of the same text at a place the likelier is told.
 * @param offset characters of the answer before the first of them
 */
function legacyLogprobs(logprobs: readonly TokenLogprob[], offset: number): object {
  let at = offset;
  const text_offset = logprobs.map(({ text }) => {
    const here = at;
    at += text.length;
    return here;
  });
  return {
    tokens: logprobs.map(({ text }) => text),
    token_logprobs: logprobs.map(({ logprob }) => logprob),
    top_logprobs: logprobs.map((token) => likeliest(token)),
    text_offset,
  };
}

function likeliest({ text, logprob, top }: TokenLogprob): Readonly<Record<string, number>> {
  const entries = [{ text, logprob }, ...top.toReversed()].map((one) => [one.text, one.logprob] as const);
  return Object.fromEntries(entries);
}
