/**
 * Compiles the constraints of requests on the processor's thread, each once: those that come again are kept, within a
 * number of bytes, the least used given up first. One at a time, with a turn of the event loop before each: what else
 * the thread does waits for one of them at most.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';
import { LRUCache } from 'lru-cache';
import { workingOn } from '../../runtime/thread/this-thread.ts';
import { compileConstraint } from './compile-constraint.ts';
import type { CompiledConstraint, SpaceBefore } from './compiled-constraint.ts';
import type { Constraint } from './constraint.ts';
import { constraintError } from './constraint-errors.ts';
import { grammarBytes } from './grammar/compiled-grammar.ts';

/** Bytes of compiled constraints that are kept. */
const CACHE_BYTES = 16 * 1024 * 1024;

export class ConstraintCompiler {
  readonly #shownControls: readonly string[];
  readonly #compiled = new LRUCache<string, CompiledConstraint>({
    maxSize: CACHE_BYTES,
    sizeCalculation: ({ grammar }, text) => grammarBytes(grammar) + 2 * text.length,
  });

  /** @param shownControls texts of control tokens that an answer shows */
  constructor(shownControls: readonly string[]) {
    this.#shownControls = shownControls;
  }

  /**
   * @param requestId whose it is, to be blamed if it never ends
   * @throws InputError CONSTRAINT_INVALID, CONSTRAINT_UNSUPPORTED, CONSTRAINT_TOO_LARGE
   */
  async compile(constraint: Constraint, requestId: string): Promise<CompiledConstraint> {
    const text = jsonOf(constraint);
    const known = this.#compiled.get(text);
    if (known !== undefined) return known;
    await nextTurn();
    const compiled =
      this.#compiled.get(text) ?? workingOn(requestId, () => compiledFrom(constraint, this.#shownControls));
    this.#compiled.set(text, compiled);
    return compiled;
  }
}

function compiledFrom(constraint: Constraint, shownControls: readonly string[]): CompiledConstraint {
  const grammar = compileConstraint(constraint, 'constraint', shownControls);
  return { grammar, spaceBefore: spaceBefore(constraint, grammar.takesSpace) };
}

/** White space around JSON means nothing, and a tagged answer is an answer like others between its passages. */
function spaceBefore(constraint: Constraint, takesSpace: boolean): SpaceBefore {
  if (skipsSpace(constraint)) return 'any';
  return takesSpace ? 'one' : 'none';
}

function skipsSpace(constraint: Constraint): boolean {
  const { type } = constraint;
  if (type === 'either') return constraint.alternatives.every(skipsSpace);
  return type === 'json_schema' || type === 'json_object' || type === 'tagged';
}

/** It has been cloned from another thread: it may refer to itself, or hold what JSON cannot say. */
function jsonOf(constraint: unknown): string {
  try {
    return JSON.stringify(constraint) ?? '';
  } catch (error) {
    throw constraintError({
      code: 'CONSTRAINT_INVALID',
      field: 'constraint',
      problem: 'is not JSON',
      value: String(error),
      remedy: 'Give plain objects, lists, texts and numbers.',
    });
  }
}
