/**
 * An answer as server-sent events. The head goes out with the first text, so that what fails before is an ordinary
 * error with its status; what fails later is an event. What a slow client has not taken yet is sent in one piece
 * when it has: the engine is read at its own pace, and never waits for a client.
 */
import type { FastifyReply } from 'fastify';
import type { ChatResult, ChatStream } from '../../chat-types.ts';
import { type AnswerEvent, AnswerEvents, hold } from '../endpoint/answer-events.ts';
import type { AnswerWriter } from '../endpoint/answer-format.ts';
import { EventStream } from '../http/event-stream.ts';
import { toApiError } from '../openai/to-api-error.ts';
import type { ServerState } from '../server-state.ts';

export interface StreamingAnswer {
  readonly state: ServerState;
  readonly reply: FastifyReply;
  readonly model: string;
  readonly writer: AnswerWriter;
}

/** @throws what the engine throws; once the head is out, after the client has been told */
export async function streamAnswer(
  stream: ChatStream,
  { state, reply, model, writer }: StreamingAnswer,
): Promise<ChatResult> {
  const metrics = state.metrics.of(model);
  const events = new AnswerEvents();
  let client: EventStream | undefined;
  const open = () => {
    if (client !== undefined) return client;
    reply.hijack();
    client = new EventStream(reply.raw, headersOf(reply));
    client.send(writer.begin());
    return client;
  };
  let held: AnswerEvent[] = [];
  const written = () => held.flatMap((event) => writer.event(event));
  let lastAt = performance.now();
  try {
    for await (const delta of stream) {
      const now = performance.now();
      if (client !== undefined) metrics.tokensSent(delta.tokenIds.length, now - lastAt);
      lastAt = now;
      for (const event of events.of(delta)) hold(held, event);
      if (open().congested) continue;
      open().send(written());
      held = [];
    }
    const result = await stream.result;
    held.push(...events.ended(result));
    open().end([...written(), ...writer.end(result)]);
    return result;
  } catch (error) {
    client?.end(writer.failed(toApiError(error)));
    throw error;
  }
}

/** What the hooks have set; a hijacked reply does not send it by itself. */
function headersOf(reply: FastifyReply): Record<string, string> {
  return Object.fromEntries(Object.entries(reply.getHeaders()).map(([name, value]) => [name, String(value)]));
}
