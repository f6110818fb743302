/** The parent's end of `transformers-child.ts`. */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import type { Precision } from '../generated-model/graph-writer.ts';
import type { PeerAnswer, PeerTask } from './peer-request.ts';

export class TransformersPeer {
  readonly #child: ChildProcess;

  private constructor(child: ChildProcess) {
    this.#child = child;
  }

  /** @param model directory in the Hub layout */
  static async start(model: string, dtype: Precision): Promise<TransformersPeer> {
    const peer = new TransformersPeer(
      fork(new URL('./transformers-child.ts', import.meta.url), [model, dtype]),
    );
    await peer.#nextMessage();
    return peer;
  }

  async answer(task: PeerTask): Promise<PeerAnswer> {
    const answered = this.#nextMessage();
    this.#child.send(task);
    return (await answered) as PeerAnswer; // the child sends nothing else after its start
  }

  async stop(): Promise<void> {
    if (this.#child.exitCode !== null || this.#child.signalCode !== null) return;
    const exited = once(this.#child, 'exit');
    this.#child.kill();
    await exited;
  }

  async #nextMessage(): Promise<unknown> {
    const settled = new AbortController();
    const { signal } = settled;
    try {
      return await Promise.race([
        once(this.#child, 'message', { signal }).then(([message]: unknown[]) => message),
        once(this.#child, 'exit', { signal }).then(([code, killedBy]: unknown[]) => {
          throw new Error(`transformers.js ended (${code ?? killedBy})`);
        }),
      ]);
    } finally {
      settled.abort();
    }
  }
}
