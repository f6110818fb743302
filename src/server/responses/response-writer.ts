/** Writes answers of the Responses API: whole, or as its events, which are numbered and say where in the output they belong. */
import type { ChatResult } from '../../chat-types.ts';
import type { AnswerEvent } from '../endpoint/answer-events.ts';
import type { AnswerFormat, AnswerHead, AnswerWriter } from '../endpoint/answer-format.ts';
import type { ServerEvent } from '../http/event-stream.ts';
import type { ApiError } from '../openai/api-error.ts';
import { tokenLogprob } from '../openai/logprobs.ts';
import {
  AnswerBlocks,
  type Block,
  type BlockChange,
  blocksOf,
  type TextBlock,
} from '../translation/answer-blocks.ts';
import {
  finished,
  itemId,
  itemOf,
  RESPONSE_PREFIX,
  type ResponseDetails,
  responseObject,
  statusOf,
  textPart,
} from './response-object.ts';

export const responseFormat: AnswerFormat<ResponseDetails> = {
  idPrefix: RESPONSE_PREFIX,
  whole: (head, result, details) => finished(head, details, orEmpty(blocksOf(result)), result),
  stream: (head, details) => new ResponseWriter(head, details),
  failure: (error) => error.body,
};

/** Clients look for a message where nothing was called. */
function orEmpty(blocks: readonly Block[]): readonly Block[] {
  return blocks.length > 0 ? blocks : [{ kind: 'text', index: 0, text: '', logprobs: [] }];
}

class ResponseWriter implements AnswerWriter {
  readonly #head: AnswerHead;
  readonly #details: ResponseDetails;
  readonly #answer = new AnswerBlocks();
  #sent = 0;

  constructor(head: AnswerHead, details: ResponseDetails) {
    this.#head = head;
    this.#details = details;
  }

  begin(): ServerEvent[] {
    const response = responseObject(this.#head, this.#details, { status: 'in_progress', output: [] });
    return [this.#event('response.created', { response }), this.#event('response.in_progress', { response })];
  }

  event(event: AnswerEvent): ServerEvent[] {
    return this.#events(this.#answer.push(event), 'completed');
  }

  end(result: ChatResult): ServerEvent[] {
    const status = statusOf(result);
    const opened = this.#answer.blocks.length === 0 ? this.#answer.openText() : [];
    const events = this.#events([...opened, ...this.#answer.close()], status);
    const response = finished(this.#head, this.#details, this.#answer.blocks, result);
    return [...events, this.#event(`response.${status}`, { response })];
  }

  failed({ message, facts }: ApiError): ServerEvent[] {
    const error = { code: facts.status === 429 ? 'rate_limit_exceeded' : 'server_error', message };
    const output = this.#answer.blocks.map((block) => this.#item(block, 'incomplete'));
    const response = responseObject(this.#head, this.#details, { status: 'failed', output, error });
    return [this.#event('response.failed', { response })];
  }

  /** @param status of an item that closes */
  #events(changes: readonly BlockChange[], status: 'completed' | 'incomplete'): ServerEvent[] {
    return changes.flatMap((change) => this.#eventsOf(change, status));
  }

  #eventsOf(change: BlockChange, status: 'completed' | 'incomplete'): ServerEvent[] {
    const { block } = change;
    switch (change.type) {
      case 'opened': {
        const added = this.#event('response.output_item.added', {
          ...{ output_index: block.index, item: this.#item(block, 'in_progress') },
        });
        if (block.kind === 'call') return [added];
        const part = { type: 'output_text', annotations: [], logprobs: [], text: '' };
        return [added, this.#event('response.content_part.added', { ...this.#placeOfText(block), part })];
      }
      case 'text': {
        const logprobs = this.#details.logprobs ? change.logprobs.map(tokenLogprob) : [];
        const piece = { ...this.#placeOfText(change.block), delta: change.more, logprobs };
        return [this.#event('response.output_text.delta', piece)];
      }
      case 'arguments':
        return [
          this.#event('response.function_call_arguments.delta', {
            ...this.#placeOf(block),
            delta: change.more,
          }),
        ];
      case 'closed':
        return [
          ...this.#closing(block),
          this.#event('response.output_item.done', {
            ...{ output_index: block.index, item: this.#item(block, status) },
          }),
        ];
      default:
        return change satisfies never;
    }
  }

  #closing(block: Block): ServerEvent[] {
    if (block.kind === 'call') {
      const { name, arguments: text } = block;
      const done = { ...this.#placeOf(block), name, arguments: text };
      return [this.#event('response.function_call_arguments.done', done)];
    }
    const place = this.#placeOfText(block);
    const logprobs = this.#details.logprobs ? block.logprobs.map(tokenLogprob) : [];
    return [
      this.#event('response.output_text.done', { ...place, text: block.text, logprobs }),
      this.#event('response.content_part.done', { ...place, part: textPart(block, this.#details.logprobs) }),
    ];
  }

  #item(block: Block, status: 'in_progress' | 'completed' | 'incomplete'): object {
    return itemOf(block, this.#head, status, this.#details.logprobs);
  }

  #placeOf(block: Block): object {
    return { item_id: itemId(block, this.#head), output_index: block.index };
  }

  #placeOfText(block: TextBlock): object {
    return { ...this.#placeOf(block), content_index: 0 };
  }

  #event(name: string, fields: object): ServerEvent {
    const sequence_number = this.#sent;
    this.#sent += 1;
    return { name, data: { type: name, sequence_number, ...fields } };
  }
}
