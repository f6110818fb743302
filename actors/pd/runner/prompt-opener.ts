/** Opens prompts with what the prefix cache knows of them, and gives it what was run. */

import type { SeesAhead } from '../../model/geometry.ts';
import type { KvCache } from '../kv-cache/kv-cache.ts';
import { SlotKvCache } from '../kv-cache/slot-kv-cache.ts';
import { SlotPromptKv } from '../kv-cache/slot-prompt-kv.ts';
import type { PrefixCache } from '../prefix-cache/prefix-cache.ts';
import { BLOCK, prefixKeys } from '../prefix-cache/prefix-keys.ts';
import type { Decoder } from './decoder.ts';
import { PrefixOffers } from './prefix-offers.ts';
import { attentionGroups } from './prompt-attention-groups.ts';
import { PromptRun } from './prompt-run.ts';

export interface PromptOpenerParts {
  readonly decoder: Pick<Decoder, 'takesPixels'>;
  readonly cache: KvCache;
  readonly prefixes: PrefixCache;
  readonly imageTokenId: number;
  /** Default none. */
  readonly seesAhead?: SeesAhead | undefined;
}

/** A prompt as it comes from a request. */
export type NewPrompt = Pick<PromptRun, 'ids' | 'positions' | 'images' | 'logits' | 'onImagesRead'> & {
  /** Whose it is, to be blamed for a run that never ends. */
  readonly requestId?: string | undefined;
};

type Opening = Pick<
  PromptRun,
  'ids' | 'positions' | 'groups' | 'images' | 'keys' | 'logits' | 'onImagesRead' | 'requestId'
>;

export class PromptOpener {
  readonly #parts: PromptOpenerParts;
  readonly #later = new PrefixOffers((run, from, to) => this.keep(run, from, to));

  constructor(parts: PromptOpenerParts) {
    this.#parts = parts;
  }

  /** See `ModelRunner.begin`. */
  begin({ ids, positions, images, logits, onImagesRead, requestId }: NewPrompt): PromptRun {
    const { cache, imageTokenId, seesAhead = 'none' } = this.#parts;
    const groups = attentionGroups(ids, seesAhead, imageTokenId);
    // Where all tokens see all others, the beginnings of two prompts are never the same.
    const keptByPrefix = cache instanceof SlotKvCache && seesAhead !== 'prompt';
    const keys = keptByPrefix ? prefixKeys(ids, imageTokenId, images) : [];
    return this.#open({ ids, positions, groups, images, keys, logits, onImagesRead, requestId });
  }

  /** See `ModelRunner.again`. */
  again(run: PromptRun): PromptRun {
    const fresh = this.#open(run);
    fresh.embeds = run.embeds;
    fresh.deepstack = run.deepstack;
    fresh.staysLocal = true;
    fresh.imageTokensRemote = run.imageTokensRemote;
    this.#parts.cache.drop(run.kv);
    return fresh;
  }

  /** Keeps the whole blocks of what was run of a prompt between two tokens. */
  keep(run: PromptRun, from: number, to = run.done): void {
    if (run.kv instanceof SlotPromptKv) this.#parts.prefixes.offer(run.keys, from, run.kv, to);
  }

  /** As `keep`, when `keepLate` is called. */
  keepLater(run: PromptRun, from: number): void {
    this.#later.add(run, from);
  }

  /** @param all or one block of each prompt */
  keepLate(all: boolean): void {
    this.#later.give(all ? undefined : BLOCK);
  }

  /** Forgets all that was kept or was to be; returns the bytes freed. */
  clear(): number {
    this.#later.clear();
    return this.#parts.prefixes.clear();
  }

  #open(opening: Opening): PromptRun {
    const { cache, prefixes } = this.#parts;
    const { ids, keys } = opening;
    this.#later.give();
    const kv = cache.openPrompt(ids.length);
    const usable = this.#mayRestore(ids, keys) ? keys : [];
    const cachedTokens = kv instanceof SlotPromptKv ? prefixes.restore(usable, ids.length, kv) : 0;
    const { positions, groups, images, logits, onImagesRead, requestId } = opening;
    return new PromptRun({
      ids,
      positions,
      groups,
      images,
      kv,
      keys,
      cachedTokens,
      logits,
      onImagesRead,
      requestId,
    });
  }

  /** A graph that merges images itself takes all of a prompt's images at once, or none. */
  #mayRestore(ids: Int32Array, keys: readonly string[]): boolean {
    const { decoder, prefixes, imageTokenId } = this.#parts;
    return !decoder.takesPixels || prefixes.cachedTokens(keys, ids.length) > ids.lastIndexOf(imageTokenId);
  }
}
