/** The parent's end of `transformers-child.ts`. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { GoldenRequest } from '../golden-requests.ts';

export interface PeerAnswer {
  /** From the first request to the last answer. */
  readonly ms: number;
  readonly texts: readonly string[];
}

export class TransformersPeer {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  static async start(): Promise<TransformersPeer> {
    const child = fork(new URL('./transformers-child.ts', import.meta.url));
    await Promise.race([
      once(child, 'message'),
      once(child, 'exit').then(([code]) => {
        throw new Error(`transformers.js did not start (exit code ${code})`);
      }),
    ]);
    return new TransformersPeer(child);
  }

  /** All at once, as callers of one process would ask. */
  async answer(requests: readonly GoldenRequest[]): Promise<PeerAnswer> {
    const answered = once(this.#child, 'message');
    this.#child.send(requests);
    const [answer] = await answered;
    return answer;
  }

  async stop(): Promise<void> {
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await exited;
  }
}
