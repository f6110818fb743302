/**
 * An answer as server-sent events. The head goes out with the first text, so that what fails before is an ordinary
 * error with its status; what fails later is an event. Text that a slow client has not taken yet is sent in one piece
 * when it has: the engine is read at its own pace, and never waits for a client.
 */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { ChatResult, ChatStream } from '../../chat-types.ts';
import { EventStream } from '../http/event-stream.ts';
import { type AnswerHead, chunks } from '../openai/chat-response.ts';
import { toApiError } from '../openai/to-api-error.ts';
import type { ServerState } from '../server-state.ts';

export interface StreamingAnswer {
  readonly state: ServerState;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly head: AnswerHead;
  readonly includeUsage: boolean;
}

/** @throws what the engine throws; once the head is out, after the client has been told */
export async function streamAnswer(
  stream: ChatStream,
  { state, reply, head, includeUsage }: StreamingAnswer,
): Promise<ChatResult> {
  const make = chunks(head, includeUsage);
  const metrics = state.metrics.of(head.model);
  let events: EventStream | undefined;
  const open = () => {
    if (events !== undefined) return events;
    reply.hijack();
    events = new EventStream(reply.raw, headersOf(reply));
    events.send(make.first());
    return events;
  };
  let held = '';
  let lastAt = performance.now();
  try {
    for await (const { text, tokenIds } of stream) {
      const now = performance.now();
      if (events !== undefined) metrics.tokensSent(tokenIds.length, now - lastAt);
      lastAt = now;
      held += text;
      if (open().congested) continue;
      open().send(make.text(held));
      held = '';
    }
    const result = await stream.result;
    if (held !== '') open().send(make.text(held));
    open().send(make.last(result));
    if (includeUsage) open().send(make.usage(result));
    open().done();
    return result;
  } catch (error) {
    events?.fail(toApiError(error).body);
    throw error;
  }
}

/** What the hooks have set; a hijacked reply does not send it by itself. */
function headersOf(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}
