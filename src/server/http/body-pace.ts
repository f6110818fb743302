/** Whether a body comes fast enough, looked at every few seconds: a connection may pause for some. */
import type { IncomingMessage } from 'node:http';

const PERIOD_MS = 5_000;

export class BodyPace {
  readonly #timer: NodeJS.Timeout;
  /** In this period. */
  #bytes = 0;

  /** @param onSlow called when less has come than must, unless it was not the client who was waited for */
  constructor(request: IncomingMessage, minBytesPerSecond: number, onSlow: () => void) {
    this.#timer = setInterval(() => {
      const isClients = !request.readableEnded && !request.isPaused();
      if (isClients && this.#bytes < (minBytesPerSecond * PERIOD_MS) / 1000) onSlow();
      this.#bytes = 0;
    }, PERIOD_MS);
  }

  came(bytes: number): void {
    this.#bytes += bytes;
  }

  end(): void {
    clearInterval(this.#timer);
  }
}
