/**
 * Prompts whose blocks the prefix cache is still to be given. Copying 128 tokens' keys and values takes some 10 ms on
 * SmolVLM-256M's shape, which answers that are being read would feel: while there are such, a step gives a little.
 */
import type { PromptRun } from './prompt-run.ts';

export class PrefixOffers {
  readonly #offer: (run: PromptRun, from: number, to: number) => void;
  /** And from which token on. */
  readonly #pending = new Map<PromptRun, number>();

  /** @param offer gives the cache the blocks of a prompt between two tokens */
  constructor(offer: (run: PromptRun, from: number, to: number) => void) {
    this.#offer = offer;
  }

  /** To be given later: what was run of a prompt from token `from` on. */
  add(run: PromptRun, from: number): void {
    if (!this.#pending.has(run)) this.#pending.set(run, from);
  }

  /** Gives up to `most` tokens of each prompt. Default: all. */
  give(most = Number.POSITIVE_INFINITY): void {
    for (const [run, from] of this.#pending) {
      const to = Math.min(run.done, from + most);
      this.#offer(run, from, to);
      if (to === run.done) this.#pending.delete(run);
      else this.#pending.set(run, to);
    }
  }

  clear(): void {
    this.#pending.clear();
  }
}
