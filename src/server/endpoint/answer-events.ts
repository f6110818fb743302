/**
 * An answer as it is made, in a sequence that belongs to no API: pieces of text and of calls, and how each choice ended.
 *
 *     text* (tool_call tool_arguments* tool_call_end text*)* finish      of each choice; choices may alternate
 */
import type { FinishReason, TokenLogprob } from '../../../actors/generation.ts';
import type { ToolCall, ToolCallDelta } from '../../../actors/tools/tool-types.ts';
import type { ChatDelta, ChatResult } from '../../chat-types.ts';

export type AnswerEvent =
  | {
      readonly type: 'text';
      /** Which of the `n` answers, from 0. */
      readonly choice: number;
      /** May be empty where only log probabilities came. */
      readonly text: string;
      /** Of all tokens since the last ones; absent unless they were asked for. */
      readonly logprobs?: readonly TokenLogprob[];
    }
  /** `index` counts the calls of the choice. */
  | {
      readonly type: 'tool_call';
      readonly choice: number;
      readonly index: number;
      readonly id: string;
      readonly name: string;
    }
  | {
      readonly type: 'tool_arguments';
      readonly choice: number;
      readonly index: number;
      readonly text: string;
    }
  | {
      readonly type: 'tool_call_end';
      readonly choice: number;
      readonly index: number;
      /** The whole call; with `length` as the reason of the end its arguments may be cut short. */
      readonly call: ToolCall;
    }
  | { readonly type: 'finish'; readonly choice: number; readonly reason: FinishReason };

/** Makes events of the engine's deltas, of one answer with all its choices. */
export class AnswerEvents {
  /** By choice. */
  readonly #open = new Map<number, { readonly index: number; call: ToolCall }>();

  of({ index: choice = 0, text, logprobs, toolCalls = [] }: ChatDelta): AnswerEvent[] {
    const events: AnswerEvent[] = [];
    if (text !== '') events.push(...this.#end(choice));
    if (text !== '' || (logprobs !== undefined && logprobs.length > 0)) {
      events.push({ type: 'text', choice, text, ...(logprobs === undefined ? {} : { logprobs }) });
    }
    for (const piece of toolCalls) events.push(...this.#piece(choice, piece));
    return events;
  }

  /** Ends every choice. */
  ended({ choices }: ChatResult): AnswerEvent[] {
    return choices.flatMap(({ index: choice, finishReason: reason }): AnswerEvent[] => [
      ...this.#end(choice),
      { type: 'finish', choice, reason },
    ]);
  }

  #piece(choice: number, { index, id, name, arguments: text }: ToolCallDelta): AnswerEvent[] {
    const events: AnswerEvent[] = [];
    if (id !== undefined && name !== undefined) {
      events.push(...this.#end(choice), { type: 'tool_call', choice, index, id, name });
      this.#open.set(choice, { index, call: { id, name, arguments: '' } });
    }
    const open = this.#open.get(choice);
    if (text === '' || open === undefined) return events;
    open.call = { ...open.call, arguments: open.call.arguments + text };
    return [...events, { type: 'tool_arguments', choice, index, text }];
  }

  #end(choice: number): AnswerEvent[] {
    const open = this.#open.get(choice);
    if (open === undefined) return [];
    this.#open.delete(choice);
    return [{ type: 'tool_call_end', choice, ...open }];
  }
}

/** Adds an event to those that are held for a slow client; what continues the last one becomes a part of it. */
export function hold(held: AnswerEvent[], event: AnswerEvent): void {
  const last = held.at(-1);
  if (last?.type === 'text' && event.type === 'text' && last.choice === event.choice) {
    const logprobs = [...(last.logprobs ?? []), ...(event.logprobs ?? [])];
    const text = last.text + event.text;
    held[held.length - 1] = { ...last, text, ...(logprobs.length === 0 ? {} : { logprobs }) };
  } else if (
    last?.type === 'tool_arguments' &&
    event.type === 'tool_arguments' &&
    last.choice === event.choice &&
    last.index === event.index
  ) {
    held[held.length - 1] = { ...last, text: last.text + event.text };
  } else held.push(event);
}
