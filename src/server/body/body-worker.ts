/** Reads large bodies on a thread of its own; their images come back as bytes, handed over and not copied. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { giveWay } from '../../../runtime/thread/give-way.ts';
import { type Outcome, outcomeOf } from '../../../runtime/thread/thread-control.ts';
import type { EndpointName } from '../endpoint/request-readers.ts';
import type { RequestFacts, ServedChat } from '../endpoint/served-chat.ts';
import { toApiError } from '../openai/to-api-error.ts';
import { readChat, withImageBytes } from './read-chat.ts';
import { assertMayFit } from './text-length.ts';

giveWay();

export interface LargeBody {
  readonly endpoint: EndpointName;
  readonly chunks: readonly Uint8Array<ArrayBuffer>[];
  readonly facts: RequestFacts;
  readonly maxImageBytes: number;
  /** Of the longest context, tokens. */
  readonly contextLength: number;
}

/** An `Outcome<ServedChat>` on the other side: piscina flattens errors, so the outcome is explicit. */
export async function readLarge({
  endpoint,
  chunks,
  facts,
  maxImageBytes,
  contextLength,
}: LargeBody): Promise<ReturnType<typeof move>> {
  const buffers: ArrayBuffer[] = [];
  const outcome: Outcome<ServedChat> = await outcomeOf(() => {
    const asked = readChat(endpoint, joined(chunks), facts);
    assertFits(asked, contextLength);
    const read = withImageBytes(asked, maxImageBytes);
    buffers.push(...read.buffers);
    return read.request;
  });
  return move({ [transferableSymbol]: buffers, [valueSymbol]: outcome });
}

/** One body after the other lies in it, so that their memory is taken once and not waited for to be collected. */
let place = new Uint8Array(0);

function joined(chunks: readonly Uint8Array<ArrayBuffer>[]): Uint8Array {
  const size = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  if (place.length < size) {
    place.buffer.transfer(0);
    place = new Uint8Array(size);
  }
  let at = 0;
  for (const chunk of chunks) {
    place.set(chunk, at);
    at += chunk.length;
    chunk.buffer.transfer(0);
  }
  return place.subarray(0, size);
}

/** @throws ApiError naming the field as the client wrote it */
function assertFits({ chat, clientFields }: ServedChat, contextLength: number): void {
  try {
    assertMayFit(chat, contextLength);
  } catch (error) {
    throw toApiError(error, clientFields);
  }
}
