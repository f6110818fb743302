/** The system's end of a thread's control plane: asks, and gives orders. */
import type { MessagePort, Transferable } from 'node:worker_threads';
import {
  type ControlAnswer,
  type ControlMessage,
  type ControlOrder,
  type ControlQuestion,
  type ControlResults,
  unwrap,
} from './thread-control.ts';

export class ControlClient {
  readonly #port: MessagePort;
  readonly #waiting = new Map<number, PromiseWithResolvers<unknown>>();
  #nextId = 1;
  #ended: Error | undefined;

  constructor(port: MessagePort) {
    this.#port = port;
    port.on('message', (answer: ControlAnswer) => this.#settle(answer));
    // It is the thread that keeps the process alive, for as long as it is not abandoned.
    port.unref();
  }

  /** Rejects with what the thread's side threw, or with what `end` was given. */
  async ask<K extends keyof ControlResults>(
    question: Extract<ControlQuestion, { readonly ask: K }>,
  ): Promise<ControlResults[K]> {
    if (this.#ended !== undefined) throw this.#ended;
    const id = this.#nextId++;
    const answer = Promise.withResolvers<unknown>();
    this.#waiting.set(id, answer);
    this.#post({ id, question });
    // The thread answers each question by its kind (`thread-entry.ts`); a message does not carry types.
    return (await answer.promise) as ControlResults[K];
  }

  order(order: ControlOrder, transfer?: readonly Transferable[]): void {
    this.#post(order, transfer);
  }

  /** No answer comes any more: nothing is left that waits, so that nothing is kept alive by it. */
  end(error: Error): void {
    this.#ended ??= error;
    this.#port.close();
    for (const { reject } of this.#waiting.values()) reject(error);
    this.#waiting.clear();
  }

  #post(message: ControlMessage, transfer?: readonly Transferable[]): void {
    this.#port.postMessage(message, transfer);
  }

  #settle({ id, outcome }: ControlAnswer): void {
    const answer = this.#waiting.get(id);
    this.#waiting.delete(id);
    try {
      answer?.resolve(unwrap(outcome));
    } catch (error) {
      answer?.reject(error);
    }
  }
}
