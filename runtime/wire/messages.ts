/**
 * Everything that travels on a channel, a stream or a membership feed, as discriminated unions.
 *
 * A channel has two lanes on one port. The *data* lane (`tell`, `ask`, `open`) is FIFO, waits in the actor's
 * mailbox and is bounded by credits. The *control* lane (all the rest) is handled on receipt, needs no credit
 * and is never dropped; since both lanes share a port, an interrupt can never overtake the message it is about.
 */

import type { Priority } from '../channel/priority.ts';
import type { ChannelMemory } from '../channel/under-way.ts';
import type { PortToken } from '../transport/port.ts';
import type { WireError } from './error-codec.ts';
import type { Traveller } from './payload-codec.ts';

interface DataFields {
  readonly method: string;
  readonly payload: unknown;
  /** Refs in the payload, to be revived on arrival. */
  readonly travellers?: readonly Traveller[] | undefined;
  /** What the message counts against the channel's byte credits. */
  readonly bytes: number;
  /** Of the sender's trace, if it has one. */
  readonly traceparent?: string | undefined;
  /** Undefined: normal. */
  readonly priority?: Priority | undefined;
}

interface ValueFields {
  readonly value: unknown;
  /** Refs in the value, to be revived on arrival. */
  readonly travellers?: readonly Traveller[] | undefined;
}

/** Client to actor, data lane. */
export type DataMessage =
  | (DataFields & { readonly t: 'tell' })
  | (DataFields & { readonly t: 'ask'; readonly id: number })
  | (DataFields & { readonly t: 'open'; readonly id: number; readonly writer: WriterToken });

/** Client to actor, control lane. */
export type ClientControl =
  | { readonly t: 'cancel'; readonly id: number; readonly error: WireError }
  /** Nothing more is to be sent: a `credit` is wanted when all tells that were sent before have ended. */
  | { readonly t: 'last' }
  /** Answers `unreadable`: the message without its payload. Undefined: there is none of that number. */
  | { readonly t: 'unread'; readonly message: DataMessage | undefined };

export type ClientMessage = DataMessage | ClientControl;

/** Actor to client. `reply` answers an `ask`, or says that an `open` was taken over (or not). */
export type ActorMessage =
  | (ValueFields & { readonly t: 'reply'; readonly id: number })
  | { readonly t: 'refusal'; readonly id: number; readonly error: WireError }
  | { readonly t: 'credit' }
  /** The actor has several tells under way at once: see `channel/tells-under-way.ts`. */
  | { readonly t: 'table'; readonly priority: Priority; readonly cells: SharedArrayBuffer }
  /** The actor cannot read the so-manieth data message of this channel, and takes no other before it knows what that was. */
  | { readonly t: 'unreadable'; readonly number: number };

/** The writing end of a stream, on its way to another actor. */
export interface WriterToken {
  readonly port: PortToken;
  readonly credits: number;
  /** Bytes that may be written ahead of the reader, of those that it allows. */
  readonly byteCredits: number;
  readonly interrupted: WireError | undefined;
  /** One int32: the holder id of whoever has this end (see `stream/open-readers.ts`). */
  readonly writtenBy: SharedArrayBuffer;
}

/** Reader to writer. */
export type ReaderMessage =
  | { readonly t: 'pull'; readonly credits: number; readonly bytes: number }
  | { readonly t: 'interrupt'; readonly error: WireError };

/** Writer to reader. */
export type WriterMessage =
  | (ValueFields & { readonly t: 'chunk'; readonly bytes: number })
  | (ValueFields & { readonly t: 'end' })
  | { readonly t: 'fail'; readonly error: WireError };

/** How to reach one incarnation of an actor. */
export interface ChannelToken extends ChannelMemory {
  readonly port: PortToken;
}

/** Group (on the main thread) to each holder of a ref. */
export type MembershipMessage =
  | {
      readonly t: 'up';
      readonly member: string;
      readonly channel: ChannelToken;
      readonly boardSlot: number;
      /** Id of the incarnation as a holder. */
      readonly holder: number;
    }
  /** It is over, and why: nothing it had not begun will be begun by it. */
  | { readonly t: 'down'; readonly member: string; readonly error: WireError }
  /** The pool has got another size: all that belong to it, up or not. */
  | { readonly t: 'members'; readonly names: readonly string[] }
  /** The member was given up; it will not come again. */
  | { readonly t: 'lost'; readonly member: string; readonly error: WireError }
  | { readonly t: 'closed'; readonly error: WireError };

/** Holder of a ref to the group: another thread was given the ref and wants the same feed. */
export type SubscriberMessage = { readonly t: 'subscribe'; readonly port: PortToken };

export type WireMessage =
  | ClientMessage
  | ActorMessage
  | ReaderMessage
  | WriterMessage
  | MembershipMessage
  | SubscriberMessage;
