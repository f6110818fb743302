/** The parent's end of `transformers-child.ts`. */
import { AskedChild } from '../asked-child.ts';
import type { Precision } from '../generated-model/precision.ts';
import type { PeerAnswer, PeerTask } from './peer-request.ts';

const SCRIPT = new URL('./transformers-child.ts', import.meta.url);

export class TransformersPeer {
  readonly #child: AskedChild<PeerTask, PeerAnswer>;

  private constructor(child: AskedChild<PeerTask, PeerAnswer>) {
    this.#child = child;
  }

  /** @param model directory in the Hub layout */
  static async start(model: string, dtype: Precision): Promise<TransformersPeer> {
    return new TransformersPeer(await AskedChild.start('transformers.js', SCRIPT, [model, dtype]));
  }

  answer(task: PeerTask): Promise<PeerAnswer> {
    return this.#child.ask(task);
  }

  stop(): Promise<void> {
    return this.#child.stop();
  }
}
