/** A constraint on its way from the processor, which compiles it, to PD, which holds answers to it. Plain data. */
import type { CompiledGrammar } from './grammar/compiled-grammar.ts';

/**
 * White space before an answer that is no part of it: any; one space, which the tokenizer puts into the first word's token; or
 * none, where the constraint itself may begin with some.
 */
export type SpaceBefore = 'any' | 'one' | 'none';

/** What an answer is held to. */
export interface CompiledConstraint {
  readonly grammar: CompiledGrammar;
  readonly spaceBefore: SpaceBefore;
}
