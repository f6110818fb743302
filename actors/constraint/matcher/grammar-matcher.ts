/** One answer on its way through a compiled grammar. */
import type { CompiledGrammar } from '../grammar/compiled-grammar.ts';
import type { TokenMatcher } from '../token-matcher.ts';
import type { ConstraintVocabulary } from './constraint-vocabulary.ts';
import type { Configuration } from './stack-node.ts';
import type { Stepper } from './stepper.ts';
import type { GrammarControl, TokenMasks } from './token-masks.ts';
import { unspeakable } from './unspeakable.ts';

/** What is found out about one grammar is forgotten when it takes more bytes. */
const MAX_GRAMMAR_BYTES = 16 * 1024 * 1024;
/** A place or frame with its items, about. */
const PLACE_BYTES = 400;
/** Forced tokens that are told at once. */
const MAX_FORCED = 64;

/** A compiled grammar with what has been found out about it. */
export interface HeldGrammar {
  readonly grammar: CompiledGrammar;
  readonly stepper: Stepper;
  readonly masks: TokenMasks;
  readonly controls: readonly GrammarControl[];
}

/** Bytes that have been found out about a grammar. */
export function learntBytes({ stepper, masks }: Pick<HeldGrammar, 'stepper' | 'masks'>): number {
  return stepper.size * PLACE_BYTES + masks.bytes;
}

export class GrammarMatcher implements TokenMatcher {
  readonly #vocabulary: ConstraintVocabulary;
  readonly #stepper: Stepper;
  readonly #masks: TokenMasks;
  readonly #controls: readonly GrammarControl[];
  /** `null` behind the token that ended the answer. */
  #at: Configuration | null;
  #generation: number;

  constructor(
    vocabulary: ConstraintVocabulary,
    { stepper, masks, controls }: HeldGrammar,
    begin: Configuration,
  ) {
    this.#controls = controls;
    this.#vocabulary = vocabulary;
    this.#stepper = stepper;
    this.#masks = masks;
    this.#at = begin;
    this.#generation = stepper.generation;
  }

  mask(): Uint32Array {
    if (this.#at === null) throw new TypeError('the answer has ended');
    this.#keepWithinBytes();
    const mask = this.#masks.of(this.#at);
    if (!mask.some((word) => word !== 0)) throw unspeakable();
    return mask;
  }

  accept(token: number): void {
    this.#keepWithinBytes();
    const next = this.#at === null ? undefined : this.#behind(this.#at, token);
    if (next === undefined) throw new TypeError(`token ${token} may not come next`);
    this.#at = next;
  }

  forced(): readonly number[] {
    const tokens: number[] = [];
    let at = this.#at;
    while (at !== null && tokens.length < MAX_FORCED) {
      const only = onlyBit(this.#masks.of(at));
      if (only === undefined) break;
      tokens.push(only);
      at = this.#behind(at, only) ?? null;
    }
    return tokens;
  }

  #keepWithinBytes(): void {
    const learnt = { stepper: this.#stepper, masks: this.#masks };
    if (learntBytes(learnt) > MAX_GRAMMAR_BYTES) {
      this.#stepper.forget();
      this.#masks.forget();
    }
    if (this.#generation === this.#stepper.generation) return;
    this.#generation = this.#stepper.generation;
    if (this.#at !== null) this.#at = this.#stepper.renewed(this.#at);
  }

  /** Where `token` leads; `null`: to the end; `undefined`: it may not come. */
  #behind(from: Configuration, token: number): Configuration | null | undefined {
    if (this.#vocabulary.eosTokenIds.includes(token)) return from.ends ? null : undefined;
    const control = this.#controls.find((one) => one.token === token);
    if (control !== undefined) return this.#stepper.step(from, control.byte) ?? undefined;
    const text = this.#vocabulary.textOf(token);
    if (text === undefined || text.length === 0) return undefined;
    let at: Configuration | null = from;
    for (const byte of text) {
      at = this.#stepper.step(at, byte);
      if (at === null) return undefined;
    }
    return at;
  }
}

/** The one bit that is set; `undefined` when there are more, or none. */
function onlyBit(mask: Uint32Array): number | undefined {
  let only: number | undefined;
  for (let i = 0; i < mask.length; i++) {
    const word = mask[i] ?? 0;
    if (word === 0) continue;
    if (only !== undefined || (word & (word - 1)) !== 0) return undefined;
    only = i * 32 + 31 - Math.clz32(word);
  }
  return only;
}
