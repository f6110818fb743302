/**
 * Transport between threads: Node's `MessagePort`. A `postMessage` costs a microsecond and wakes the other thread,
 * whatever it carries; so small messages, which are text, leave together: when the turn ends, or before a message that is
 * no text, so that the order stays. Of many the first few leave at once, for the other thread can begin with them. The first
 * of a turn leaves at once where whoever sent it may go on to keep this thread busy: a `tell`, what a stream is written.
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
import type { WireMessage } from '../wire/messages.ts';
import { messageOf } from '../wire/text-codec.ts';
import { flushAtTurnsEnd, type HoldsBack } from './departures.ts';
import type { Port, PortListener } from './port.ts';

/** So many messages of a turn are enough for the other thread to begin with. */
const FIRST_PORTION = 16;
/** Characters that are held back at most: what reads them should not have to wait for all of a long turn. */
const MOST_HELD_BACK = 64 * 1024;

export class MessagePortTransport implements Port, HoldsBack {
  readonly byReference = false;
  readonly #port: MessagePort;
  #listener: PortListener | undefined;
  /** Joined by commas. Undefined: nothing was posted in this turn. */
  #heldBack: string | undefined;
  /** Texts that were posted in this turn. */
  #posted = 0;
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
  }

  postText(text: string, isUrgent = false): void {
    if (this.#heldBack === undefined) {
      flushAtTurnsEnd(this);
      this.#heldBack = isUrgent ? '' : text;
      this.#posted = 1;
      if (isUrgent) this.#port.postMessage(text);
      return;
    }
    this.#heldBack = this.#heldBack === '' ? text : `${this.#heldBack},${text}`;
    this.#posted += 1;
    if (this.#posted === FIRST_PORTION || this.#heldBack.length > MOST_HELD_BACK) this.#letGo();
  }

  /** The turn is over. */
  flush(): void {
    this.#letGo();
    this.#heldBack = undefined;
  }

  listen(listener: PortListener): void {
    this.#listener = listener;
    this.#port.on('close', () => listener.onClose());
    this.#port.on('message', (message: WireMessage | string) => this.#deliver(message));
  }

  drain(): void {
    for (;;) {
      const received = receiveMessageOnPort(this.#port);
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

  #letGo(): void {
    if (this.#heldBack === undefined || this.#heldBack === '') return;
    this.#port.postMessage(`[${this.#heldBack}]`);
    this.#heldBack = '';
  }

  #deliver(message: WireMessage | string): void {
    if (this.#over) return;
    if (typeof message !== 'string') {
      this.#listener?.onMessage(message);
      return;
    }
    const rows: readonly unknown[] = JSON.parse(message); // by `postText`
    if (!Array.isArray(rows[0])) {
      this.#listener?.onMessage(messageOf(rows));
      return;
    }
    for (const row of rows) {
      // Whoever was told of one may have closed the port.
      if (this.#over) return;
      this.#listener?.onMessage(messageOf(row as unknown[])); // a list of lists
    }
  }
}
