/**
 * Transport within a thread: two linked queues. A message is delivered in a later microtask, in order, by
 * reference: the receiver must treat a payload as frozen, just as if it had come from another thread.
 */
import type { WireMessage } from '../wire/messages.ts';
import { listOf, TextReader } from '../wire/text-codec.ts';
import type { Port, PortListener } from './port.ts';

type Delivery = WireMessage | 'close';

export class InProcessTransport implements Port {
  readonly byReference = true;
  #peer: InProcessTransport | undefined;
  #listener: PortListener | undefined;
  #inbox: Delivery[] = [];
  #pumping = false;
  #open = true;

  static pair(): readonly [InProcessTransport, InProcessTransport] {
    const left = new InProcessTransport();
    const right = new InProcessTransport();
    left.#peer = right;
    right.#peer = left;
    return [left, right];
  }

  post(message: WireMessage): void {
    if (this.#open) this.#toPeer(message);
  }

  postText(text: string): void {
    const message = new TextReader(listOf(text)).next();
    if (message !== undefined) this.post(message);
  }

  listen(listener: PortListener): void {
    this.#listener = listener;
    this.#pump();
  }

  drain(): void {
    while (this.#listener !== undefined && this.#inbox.length > 0) this.#deliverOne();
  }

  close(): void {
    if (!this.#open) return;
    this.#open = false;
    this.#toPeer('close');
    this.#inbox = [];
    this.#deliver('close');
  }

  pair(): readonly [Port, Port] {
    return InProcessTransport.pair();
  }

  detach(): { token: Port; transfer: readonly [] } {
    this.#listener = undefined;
    return { token: this, transfer: [] };
  }

  #toPeer(delivery: Delivery): void {
    if (this.#peer !== undefined) this.#peer.#deliver(delivery);
  }

  #deliver(delivery: Delivery): void {
    this.#inbox.push(delivery);
    this.#pump();
  }

  #pump(): void {
    if (this.#pumping || this.#listener === undefined) return;
    this.#pumping = true;
    queueMicrotask(() => {
      this.#pumping = false;
      this.#deliverOne();
    });
  }

  #deliverOne(): void {
    const listener = this.#listener;
    const delivery = listener === undefined ? undefined : this.#inbox.shift();
    if (listener === undefined || delivery === undefined) return;
    this.#pump();
    if (delivery !== 'close') {
      listener.onMessage(delivery);
      return;
    }
    this.#open = false;
    this.#listener = undefined;
    listener.onClose();
  }
}
