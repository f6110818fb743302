/**
 * Prompts whose blocks the prefix cache is still to be given. Copying 128 tokens' keys and values takes some 10 ms on
 * SmolVLM-256M's shape, which answers that are being read would feel: while there are such, a step gives a little.
 */
import { SlotPromptKv } from '../kv-cache/slot-prompt-kv.ts';
import type { PromptRun } from './prompt-run.ts';

interface Pending {
  /** Tokens before it were given. */
  readonly from: number;
  /** Its keys and values may be forgotten. */
  readonly read: () => void;
}

export class PrefixOffers {
  readonly #offer: (run: PromptRun, from: number, to: number) => void;
  readonly #pending = new Map<PromptRun, Pending>();

  /** @param offer gives the cache the blocks of a prompt between two tokens */
  constructor(offer: (run: PromptRun, from: number, to: number) => void) {
    this.#offer = offer;
  }

  /** To be given later: what was run of a prompt from token `from` on. */
  add(run: PromptRun, from: number): void {
    const { kv } = run;
    if (this.#pending.has(run) || !(kv instanceof SlotPromptKv)) return;
    this.#pending.set(run, { from, read: kv.toBeRead() });
  }

  /** Gives up to `most` tokens of each prompt. Default: all. */
  give(most = Number.POSITIVE_INFINITY): void {
    for (const [run, { from, read }] of this.#pending) {
      const to = Math.min(run.done, from + most);
      this.#offer(run, from, to);
      if (to === run.done) this.#forget(run);
      else this.#pending.set(run, { from: to, read });
    }
  }

  clear(): void {
    for (const run of this.#pending.keys()) this.#forget(run);
  }

  #forget(run: PromptRun): void {
    this.#pending.get(run)?.read();
    this.#pending.delete(run);
  }
}
