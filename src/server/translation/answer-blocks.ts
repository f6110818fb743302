/**
 * An answer as a row of blocks, text and calls, each of which opens, grows and closes: what the Responses and Messages APIs
 * tell their clients about. Whole answers go through it in one piece, so that both ways give the same blocks.
 */
import type { TokenLogprob } from '../../../actors/generation.ts';
import type { ChatResult } from '../../chat-types.ts';
import { type AnswerEvent, AnswerEvents } from '../endpoint/answer-events.ts';

export interface TextBlock {
  readonly kind: 'text';
  /** Place among the blocks of the answer, from 0. */
  readonly index: number;
  text: string;
  readonly logprobs: TokenLogprob[];
}

export interface CallBlock {
  readonly kind: 'call';
  readonly index: number;
  readonly id: string;
  readonly name: string;
  /** JSON, as far as it has come. */
  arguments: string;
}

export type Block = TextBlock | CallBlock;

/** What happened to a block. */
export type BlockChange =
  | { readonly type: 'opened'; readonly block: Block }
  | {
      readonly type: 'text';
      readonly block: TextBlock;
      readonly more: string;
      readonly logprobs: readonly TokenLogprob[];
    }
  | { readonly type: 'arguments'; readonly block: CallBlock; readonly more: string }
  | { readonly type: 'closed'; readonly block: Block };

export class AnswerBlocks {
  readonly blocks: Block[] = [];
  #open: Block | undefined;

  push(event: AnswerEvent): BlockChange[] {
    switch (event.type) {
      case 'text':
        return this.#text(event.text, event.logprobs ?? []);
      case 'tool_call': {
        const { id, name } = event;
        return this.#next({ kind: 'call', index: this.blocks.length, id, name, arguments: '' });
      }
      case 'tool_arguments': {
        const block = this.#open;
        if (block?.kind !== 'call') return [];
        block.arguments += event.text;
        return [{ type: 'arguments', block, more: event.text }];
      }
      case 'tool_call_end':
        return this.close();
      case 'finish':
        return [];
      default:
        return event satisfies never;
    }
  }

  /** An answer without anything is an empty text, for APIs whose answers have something. */
  openText(): BlockChange[] {
    return this.#next({ kind: 'text', index: this.blocks.length, text: '', logprobs: [] });
  }

  close(): BlockChange[] {
    const block = this.#open;
    this.#open = undefined;
    return block === undefined ? [] : [{ type: 'closed', block }];
  }

  #text(more: string, logprobs: readonly TokenLogprob[]): BlockChange[] {
    const open = this.#open;
    if (open?.kind === 'text') return [grown(open, more, logprobs)];
    // Models write lines between calls, and their calls are made of tokens: nobody said those.
    if (more === '' || (this.blocks.length > 0 && more.trim() === '')) return [];
    const block: TextBlock = { kind: 'text', index: this.blocks.length, text: '', logprobs: [] };
    return [...this.#next(block), grown(block, more, logprobs)];
  }

  #next(block: Block): BlockChange[] {
    const closed = this.close();
    this.#open = block;
    this.blocks.push(block);
    return [...closed, { type: 'opened', block }];
  }
}

function grown(block: TextBlock, more: string, logprobs: readonly TokenLogprob[]): BlockChange {
  block.text += more;
  block.logprobs.push(...logprobs);
  return { type: 'text', block, more, logprobs };
}

/** The blocks of a whole answer. */
export function blocksOf(result: ChatResult): readonly Block[] {
  const { text, tokenIds, logprobs, toolCalls = [] } = result;
  const said = { text, tokenIds, ...(logprobs === undefined ? {} : { logprobs }) };
  const called = { text: '', tokenIds: [], toolCalls: toolCalls.map((call, index) => ({ index, ...call })) };
  const events = new AnswerEvents();
  const answer = new AnswerBlocks();
  for (const event of [...events.of(said), ...events.of(called), ...events.ended(result)]) answer.push(event);
  return answer.blocks;
}
