/**
 * The transport seam: one end of a two-way, ordered pipe. Channels, streams and membership feeds are written
 * against this interface; whether the other end is on another thread (`message-port.ts`) or in this one
 * (`in-process.ts`) is decided where the pair is made.
 */
import type { MessagePort, Transferable } from 'node:worker_threads';
import type { WireMessage } from '../wire/messages.ts';

/** What travels in a message in place of a port: the port itself, moved. */
export type PortToken = MessagePort | Port;

export interface PortListener {
  onMessage(message: WireMessage): void;
  /** The other end closed or its thread is gone; every message sent before has been delivered. Called once. */
  onClose(): void;
  /** A message came that this thread cannot read; it is lost. Default: a warning of the process. */
  onUnreadable?(cause: unknown): void;
}

export interface Port {
  /** Messages arrive as the very objects that were posted: nothing is cloned, and nothing is written as text. */
  readonly byReference: boolean;
  /** Throws a `DataCloneError` when the message cannot be cloned; never when the other end is gone. */
  post(message: WireMessage, transfer?: readonly Transferable[]): void;
  /**
   * Posts a message in its text form (`wire/text-codec.ts`), perhaps together with others of this turn; in order.
   * @param isUrgent it leaves at once if it is the first of its turn. Default false
   */
  postText(text: string, isUrgent?: boolean): void;
  /** Starts delivery. Messages that came earlier are delivered first. */
  listen(listener: PortListener): void;
  /** Delivers now whatever has arrived. To be called outside of a delivery. */
  drain(): void;
  /** What was posted before is still delivered there; nothing more is delivered here. */
  close(): void;
  /** Makes a pair of the same kind, whose ends can travel over this port. */
  pair(): readonly [Port, Port];
  /** Gives the end away: it can no longer be used here. Add the result to the message and to `transfer`. */
  detach(): { readonly token: PortToken; readonly transfer: readonly Transferable[] };
}
