/** A message on its way to an actor: what to send, and how its sender learns what became of it. */
import type { Transferable } from 'node:worker_threads';
import type { StreamWriter } from '../stream/stream-writer.ts';
import type { SmallJson } from '../wire/small-json.ts';
import type { Priority } from './priority.ts';

export interface Outbound {
  readonly kind: 'tell' | 'ask' | 'open';
  readonly method: string;
  /** Grows with each message of a ref: their order. */
  readonly sequence: number;
  readonly payload: unknown;
  /** The payload as text, made at the call, where it is small and plain and does not go by reference. */
  readonly json: SmallJson | undefined;
  readonly transfer: readonly Transferable[];
  /** Bytes that count against the channel's credit. */
  readonly bytes: number;
  readonly routeKey: string | undefined;
  readonly priority: Priority;
  /** Of the sender's trace, if it has one. */
  readonly traceparent: string | undefined;
  /** For `open`: the writer, moved to the actor when the message is posted. */
  readonly writer: StreamWriter<unknown, unknown> | undefined;
  /** What it is known by on the channel by which it left last. */
  readonly id: number;
  /** How many had been posted there when it was. */
  readonly number: number;
  /** The message left by this channel, under this id: the answer may be called off there. */
  posted(by: Withdrawal, id: number, number: number): void;
  /** The actor died before it began the message: it has not left, after all. */
  tookBack(): void;
  /** Called at most once; a `tell` succeeds when it is posted, the others when the actor answers. */
  succeed(value: unknown): void;
  fail(error: Error): void;
  /** False once the sender stopped waiting (aborted, timed out) before it left: it must not be sent. */
  readonly wanted: boolean;
}

export interface Withdrawal {
  /** Tells the actor that the answer to this message is no longer wanted. */
  withdraw(id: number, error: Error): void;
}

/**
 * A message whose actor died before starting it may go to the next incarnation, unless sending it the first
 * time gave something away: a transferred buffer or a stream.
 */
export function canBeSentAgain(message: Outbound): boolean {
  return message.transfer.length === 0 && message.kind !== 'open';
}
