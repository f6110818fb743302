/** Reads large bodies on a thread of its own; their images come back as bytes, handed over and not copied. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { giveWay } from '../../../actors/give-way.ts';
import { type Outcome, outcomeOf } from '../../../runtime/thread/thread-control.ts';
import type { ChatCompletionRequest, RequestFacts } from '../openai/chat-request.ts';
import { readChat, withImageBytes } from './read-chat.ts';

giveWay();

export interface LargeBody {
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  readonly facts: RequestFacts;
  readonly maxImageBytes: number;
}

/** An `Outcome<ChatCompletionRequest>` on the other side: piscina flattens errors, so the outcome is explicit. */
export async function readLarge({ chunks, facts, maxImageBytes }: LargeBody) {
  const buffers: ArrayBuffer[] = [];
  const outcome: Outcome<ChatCompletionRequest> = await outcomeOf(() => {
    const read = withImageBytes(readChat(Buffer.concat(chunks), facts), maxImageBytes);
    buffers.push(...read.buffers);
    return read.request;
  });
  return move({ [transferableSymbol]: buffers, [valueSymbol]: outcome });
}
