/** What an endpoint makes of an answer: one document, or server-sent events. */
import type { ChatResult } from '../../chat-types.ts';
import type { ServerEvent } from '../http/event-stream.ts';
import type { ApiError } from '../openai/api-error.ts';
import type { AnswerEvent } from './answer-events.ts';

export interface AnswerHead {
  /** With the prefix of its format. */
  readonly id: string;
  /** Unix time, seconds. */
  readonly created: number;
  readonly model: string;
}

/** What one streamed answer is written with. */
export interface AnswerWriter {
  /** What comes before everything else. */
  begin(): readonly ServerEvent[];
  event(event: AnswerEvent): readonly ServerEvent[];
  /** After the `finish` of every choice; the connection is closed behind it. */
  end(result: ChatResult): readonly ServerEvent[];
  /** Something went wrong after the beginning. */
  failed(error: ApiError): readonly ServerEvent[];
}

export interface AnswerFormat<Details> {
  /** `chatcmpl-` */
  readonly idPrefix: string;
  /** The answer as one document. */
  whole(head: AnswerHead, result: ChatResult, details: Details): object;
  stream(head: AnswerHead, details: Details): AnswerWriter;
  /** The body of an answer that is an error. */
  failure(error: ApiError): object;
}
