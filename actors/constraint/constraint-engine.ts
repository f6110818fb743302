/**
 * Compiled constraints on the thread that decodes: matchers for answers, and what has been found out about each grammar,
 * kept within a number of bytes, the least used given up first.
 */
import { LRUCache } from 'lru-cache';
import { type CompiledGrammar, grammarBytes } from './grammar/compiled-grammar.ts';
import type { ConstraintVocabulary } from './matcher/constraint-vocabulary.ts';
import { GrammarMatcher } from './matcher/grammar-matcher.ts';
import { Stepper } from './matcher/stepper.ts';
import { TokenMasks } from './matcher/token-masks.ts';
import type { TokenMatcher } from './token-matcher.ts';

/** Bytes of grammars, places and masks kept, unless told otherwise. */
export const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;
/** A place or frame with its items, about. */
const PLACE_BYTES = 400;

interface Held {
  readonly grammar: CompiledGrammar;
  readonly stepper: Stepper;
  readonly masks: TokenMasks;
}

export class ConstraintEngine {
  readonly #vocabulary: ConstraintVocabulary;
  readonly #held: LRUCache<string, Held>;

  constructor(vocabulary: ConstraintVocabulary, cacheBytes = DEFAULT_CACHE_BYTES) {
    this.#vocabulary = vocabulary;
    this.#held = new LRUCache({ maxSize: cacheBytes, sizeCalculation: heldBytes });
  }

  /** Bytes held, about. */
  get bytes(): number {
    return this.#held.calculatedSize;
  }

  /** A matcher at the beginning of an answer; well below a millisecond. */
  matcher(grammar: CompiledGrammar): TokenMatcher {
    const known = this.#held.get(grammar.key);
    const held = known ?? this.#hold(grammar);
    // Weighed anew: it has grown since it was put there.
    this.#held.set(grammar.key, held);
    return new GrammarMatcher(this.#vocabulary, held.stepper, held.masks, held.stepper.begin(grammar.root));
  }

  #hold(grammar: CompiledGrammar): Held {
    const stepper = new Stepper(grammar);
    return { grammar, stepper, masks: new TokenMasks(grammar, stepper, this.#vocabulary) };
  }
}

function heldBytes({ grammar, stepper, masks }: Held): number {
  return grammarBytes(grammar) + stepper.size * PLACE_BYTES + masks.bytes;
}
