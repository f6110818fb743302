/**
 * Compiled constraints on the thread that decodes: matchers for answers, and what has been found out about each grammar,
 * kept within a number of bytes, the least used given up first.
 */
import { LRUCache } from 'lru-cache';
import { type CompiledGrammar, grammarBytes } from './grammar/compiled-grammar.ts';
import { FIRST_CONTROL } from './grammar/rule-nfa.ts';
import type { ConstraintVocabulary } from './matcher/constraint-vocabulary.ts';
import { GrammarMatcher, type HeldGrammar, learntBytes } from './matcher/grammar-matcher.ts';
import { Stepper } from './matcher/stepper.ts';
import { TokenMasks } from './matcher/token-masks.ts';
import type { TokenMatcher } from './token-matcher.ts';

/** Bytes of grammars, places and masks kept, unless told otherwise. */
export const DEFAULT_CACHE_BYTES = 64 * 1024 * 1024;

export class ConstraintEngine {
  readonly #vocabulary: ConstraintVocabulary;
  readonly #held: LRUCache<string, HeldGrammar>;

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
    const held = this.#held.get(grammar.key) ?? this.#hold(grammar);
    // Put there anew, so that it is weighed: it has grown since.
    this.#held.delete(grammar.key);
    this.#held.set(grammar.key, held);
    return new GrammarMatcher(this.#vocabulary, held, held.stepper.begin(grammar.root));
  }

  #hold(grammar: CompiledGrammar): HeldGrammar {
    const stepper = new Stepper(grammar);
    const controls = grammar.controls.flatMap((text, i) => {
      const token = this.#vocabulary.controlOf(text);
      return token === undefined ? [] : [{ token, byte: FIRST_CONTROL + i }];
    });
    const masks = new TokenMasks(grammar, stepper, this.#vocabulary, controls);
    return { grammar, stepper, masks, controls };
  }
}

function heldBytes(held: HeldGrammar): number {
  return grammarBytes(held.grammar) + learntBytes(held);
}
