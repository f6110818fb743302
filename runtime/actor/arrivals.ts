/**
 * What one client sends to an actor, in the order in which it came, also where a message could not be read. Nobody here knows
 * then what that was, of which priority, and whether its sender waits for an answer. So the client is asked, and until it has
 * said it all others wait: the message is taken without its payload, in its place, is counted like any other, and refused.
 *
 *     came:   a   (unreadable)   c   d         client:  2?  ──▶  "an ask, of so many bytes"
 *     taken:  a        ⋯                        ⋯  b without payload, c, d
 */
import { errorOf } from '../util/realms.ts';
import { warnOfUnreadable } from '../util/warning.ts';
import type { ClientControl, ClientMessage, DataMessage } from '../wire/messages.ts';

export interface ArrivalsOwner {
  /** @param unreadable why the payload is not known */
  onData(message: DataMessage, unreadable: Error | undefined): void;
  onControl(message: Exclude<ClientControl, { t: 'unread' }>): void;
  /** The client is to be asked what the data message of this number was; the first is 0. */
  onGap(number: number): void;
}

interface Gap {
  readonly cause: Error;
  readonly behind: (() => void)[];
}

export class Arrivals {
  readonly #owner: ArrivalsOwner;
  /** Data messages so far. */
  #came = 0;
  #gap: Gap | undefined;

  constructor(owner: ArrivalsOwner) {
    this.#owner = owner;
  }

  take(message: ClientMessage): void {
    if (message.t === 'unread') this.#close(message.message);
    else if (this.#gap !== undefined) this.#gap.behind.push(() => this.take(message));
    else if (message.t === 'cancel' || message.t === 'last') this.#owner.onControl(message);
    else this.#data(message);
  }

  unreadable(cause: unknown): void {
    if (this.#gap !== undefined) this.#gap.behind.push(() => this.unreadable(cause));
    else {
      this.#gap = { cause: errorOf(cause), behind: [] };
      this.#owner.onGap(this.#came);
    }
  }

  /** The client is gone, and says nothing more: what it has sent is taken. */
  end(): void {
    while (this.#gap !== undefined) this.#close(undefined);
  }

  /** @param message what it was; undefined: nobody knows */
  #close(message: DataMessage | undefined): void {
    const gap = this.#gap;
    if (gap === undefined) return;
    this.#gap = undefined;
    if (message === undefined) warnOfUnreadable(gap.cause);
    else this.#data(message, gap.cause);
    for (const next of gap.behind) next();
  }

  #data(message: DataMessage, unreadable?: Error): void {
    this.#came += 1;
    this.#owner.onData(message, unreadable);
  }
}
