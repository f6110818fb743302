/**
 * Transport between threads: Node's `MessagePort`. A `postMessage` costs a microsecond and wakes the other thread,
 * whatever it carries; so small messages, which are text, leave together: when the turn ends, or before a message that is
 * no text, so that the order stays. Of many the first few leave at once, for the other thread can begin with them. The first
 * of a turn leaves at once where whoever sent it may go on to keep this thread busy (a `tell`, what a stream is written), and
 * where turns have had one message each and this one is not close behind another: then there is likely nothing to wait for,
 * and what this thread still has to do is done while the other one wakes.
 *
 *     turn:  post a   post b   post (a clone)   post c   post d   ends
 *              └────┬───┘            │            └────┬───┘
 *     port:       [a,b]            clone             [c,d]
 */
import {
  MessageChannel,
  type MessagePort,
  receiveMessageOnPort,
  type Transferable,
} from 'node:worker_threads';
import { warnOfUnreadable } from '../util/warning.ts';
import type { WireMessage } from '../wire/messages.ts';
import { listOf, TextReader } from '../wire/text-codec.ts';
import { flushAtTurnsEnd, type HoldsBack } from './departures.ts';
import type { Port, PortListener } from './port.ts';
import { Wakefulness } from './wakefulness.ts';

/** So many messages of a turn are enough for the other thread to begin with. */
const FIRST_PORTION = 8;
/** Then twice as many each time, but no more than these: reading them is as much work as handling them, and both can be done meanwhile. */
const LARGEST_PORTION = 256;
/** Characters that are held back at most: what reads them should not have to wait for all of a long turn. */
const MOST_HELD_BACK = 64 * 1024;
/** Messages that are so far apart are not worth holding back: less than a quarter of the time goes into posting them. */
const APART_MS = 0.004;

export class MessagePortTransport implements Port, HoldsBack {
  readonly byReference = false;
  readonly #port: MessagePort;
  readonly #wakefulness = new Wakefulness();
  #listener: PortListener | undefined;
  /** Joined by commas. Undefined: nothing was posted in this turn. */
  #heldBack: string | undefined;
  /** Texts that were posted in this turn. */
  #posted = 0;
  /** So many are posted when the portion that is gathered now leaves. */
  #portionEnd = FIRST_PORTION;
  /** The last turn that was looked at had one. */
  #expectsOne = false;
  /** When the last one was posted that was taken for the only one of its turn. */
  #lastAloneAt = 0;
  /** No more is delivered here. */
  #over = false;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  static pair(): readonly [MessagePortTransport, MessagePortTransport] {
    const { port1, port2 } = new MessageChannel();
    return [new MessagePortTransport(port1), new MessagePortTransport(port2)];
  }

  post(message: WireMessage, transfer?: readonly Transferable[]): void {
    this.#letGo();
    this.#port.postMessage(message, transfer);
    this.#wakefulness.left();
  }

  postText(text: string, isUrgent = false): void {
    if (this.#heldBack === undefined) this.#postFirst(text, isUrgent);
    else {
      this.#heldBack = this.#heldBack === '' ? text : `${this.#heldBack},${text}`;
      this.#posted += 1;
      const isPortion = this.#posted === this.#portionEnd;
      if (isPortion) this.#portionEnd += Math.min(this.#portionEnd, LARGEST_PORTION);
      if (isPortion || this.#heldBack.length > MOST_HELD_BACK) this.#letGo();
    }
  }

  /** The turn is over. */
  flush(): void {
    this.#letGo();
    this.#heldBack = undefined;
    this.#expectsOne = this.#posted === 1;
  }

  listen(listener: PortListener): void {
    this.#listener = listener;
    this.#port.on('close', () => listener.onClose());
    this.#port.on('message', (message: WireMessage | string) => this.#deliver(message));
    this.#port.on('messageerror', (cause) => this.#unreadable(cause));
  }

  drain(): void {
    for (;;) {
      let received: ReturnType<typeof receiveMessageOnPort>;
      try {
        received = receiveMessageOnPort(this.#port);
      } catch (cause) {
        this.#unreadable(cause);
        continue;
      }
      if (received === undefined) return;
      this.#deliver(received.message);
    }
  }

  close(): void {
    this.#letGo();
    this.#over = true;
    this.#port.close();
  }

  pair(): readonly [Port, Port] {
    return MessagePortTransport.pair();
  }

  detach(): { token: MessagePort; transfer: readonly Transferable[] } {
    this.#letGo();
    // A transferred port emits `close` on the side that it left; that is no news to the one who gave it away.
    this.#port.removeAllListeners();
    return { token: this.#port, transfer: [this.#port] };
  }

  #postFirst(text: string, isUrgent: boolean): void {
    this.#posted = 1;
    this.#portionEnd = FIRST_PORTION;
    if (this.#expectsOne && !isUrgent) {
      const now = performance.now();
      const isApart = now - this.#lastAloneAt > APART_MS;
      this.#lastAloneAt = now;
      if (isApart) {
        this.#send(text);
        return;
      }
      this.#posted = 2; // the one before was of this turn
    }
    if (isUrgent) this.#send(text);
    this.#heldBack = isUrgent ? '' : text;
    flushAtTurnsEnd(this);
  }

  #letGo(): void {
    if (this.#heldBack === undefined || this.#heldBack === '') return;
    this.#send(this.#heldBack);
    this.#heldBack = '';
  }

  #send(texts: string): void {
    this.#port.postMessage(listOf(texts));
    this.#wakefulness.left();
  }

  #unreadable(cause: unknown): void {
    if (this.#over) return;
    if (this.#listener?.onUnreadable !== undefined) this.#listener.onUnreadable(cause);
    else warnOfUnreadable(cause);
  }

  #deliver(message: WireMessage | string): void {
    if (this.#over) return;
    this.#wakefulness.came();
    if (typeof message !== 'string') {
      this.#listener?.onMessage(message);
      return;
    }
    const reader = new TextReader(message); // by `postText`
    for (let next = reader.next(); next !== undefined; next = reader.next()) {
      this.#listener?.onMessage(next);
      // Whoever was told of it may have closed the port.
      if (this.#over) return;
    }
  }
}
