/** Transport between threads: Node's `MessagePort`. */
import { MessageChannel, type MessagePort, type Transferable } from 'node:worker_threads';
import type { WireMessage } from '../wire/messages.ts';
import type { Port, PortListener } from './port.ts';

export class MessagePortTransport implements Port {
  readonly #port: MessagePort;

  constructor(port: MessagePort) {
    this.#port = port;
  }

  static pair(): readonly [MessagePortTransport, MessagePortTransport] {
    const { port1, port2 } = new MessageChannel();
    return [new MessagePortTransport(port1), new MessagePortTransport(port2)];
  }

  post(message: WireMessage, transfer?: readonly Transferable[]): void {
    this.#port.postMessage(message, transfer);
  }

  listen(listener: PortListener): void {
    this.#port.on('close', () => listener.onClose());
    this.#port.on('message', (message: WireMessage) => listener.onMessage(message));
  }

  close(): void {
    this.#port.close();
  }

  pair(): readonly [Port, Port] {
    return MessagePortTransport.pair();
  }

  detach(): { token: MessagePort; transfer: readonly Transferable[] } {
    // A transferred port emits `close` on the side that it left; that is no news to the one who gave it away.
    this.#port.removeAllListeners();
    return { token: this.#port, transfer: [this.#port] };
  }
}
