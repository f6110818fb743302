/** A message on its way to an actor: what to send, and how its sender learns what became of it. */
import type { Transferable } from 'node:worker_threads';
import type { StreamWriter } from '../stream/stream-writer.ts';

export interface Outbound {
  readonly kind: 'tell' | 'ask' | 'open';
  readonly method: string;
  readonly payload: unknown;
  readonly transfer: readonly Transferable[];
  /** Bytes that count against the channel's credit. */
  readonly bytes: number;
  readonly routeKey: string | undefined;
  /** For `open`: the writer, moved to the actor when the message is posted. */
  readonly writer: StreamWriter<unknown, unknown> | undefined;
  /** The message left; `withdraw` tells the actor that the answer is no longer wanted. */
  posted(withdraw: (error: Error) => void): void;
  /** Called at most once; a `tell` succeeds when it is posted, the others when the actor answers. */
  succeed(value: unknown): void;
  fail(error: Error): void;
  /** False once the sender stopped waiting (aborted, timed out): there is no point in sending it. */
  readonly wanted: boolean;
}

/**
 * A message whose actor died before starting it may go to the next incarnation, unless sending it the first
 * time gave something away: a transferred buffer or a stream.
 */
export function canBeSentAgain(message: Outbound): boolean {
  return message.transfer.length === 0 && message.kind !== 'open';
}
