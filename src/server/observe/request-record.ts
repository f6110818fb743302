/** One chat request's line in the log: what was asked for and how it went, in numbers; contents only if told to. */
import type { ChatMessage } from '../../../actors/generation.ts';
import type { ChatResult } from '../../chat-types.ts';
import type { EndpointName } from '../endpoint/request-readers.ts';
import type { ServedChat } from '../endpoint/served-chat.ts';

export class RequestRecord {
  readonly #fields: Record<string, unknown> = {};
  readonly #contents: boolean;

  constructor(endpoint: EndpointName, contents: boolean) {
    this.#contents = contents;
    this.#fields.endpoint = endpoint;
  }

  get fields(): Readonly<Record<string, unknown>> {
    return this.#fields;
  }

  asked({ chat, model, images, stream, user }: ServedChat): void {
    Object.assign(this.#fields, { model, stream, images, messages: chat.messages.length });
    if (user !== undefined) this.#fields.user = user;
    if (this.#contents) this.#fields.question = chat.prompt ?? chat.messages.map(withoutImages);
  }

  queued(queueMs: number): void {
    this.#fields.queueMs = rounded(queueMs);
  }

  answered({ usage, finishReason, timings, text, toolCalls }: ChatResult): void {
    const { promptTokens, imageTokens, completionTokens } = usage;
    Object.assign(this.#fields, { promptTokens, imageTokens, completionTokens, finishReason });
    this.#fields.firstTokenMs = rounded(timings.timeToFirstTokenMs);
    this.#fields.interTokenMs = rounded(timings.interTokenMs);
    if (this.#contents) Object.assign(this.#fields, { answer: text, toolCalls });
  }

  failed(code: string): void {
    this.#fields.code = code;
  }
}

function withoutImages({ role, content }: ChatMessage): object {
  if (typeof content === 'string') return { role, content };
  return { role, content: content.map((part) => (part.type === 'image' ? '[image]' : part.text)) };
}

const rounded = (ms: number): number => Math.round(ms * 100) / 100;
