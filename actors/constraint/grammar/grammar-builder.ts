/**
 * Rules as they are put together by schemas, patterns and grammars, and their way to the tables that matching goes by:
 * rules that nothing can satisfy are taken out, rules that may be empty are marked, and a rule that begins with itself
 * is refused.
 */
import { constraintError } from '../constraint-errors.ts';
import type { WorkBudget } from '../work-budget.ts';
import type { CompiledGrammar } from './compiled-grammar.ts';
import { determinize } from './determinize.ts';
import { RuleNfa } from './rule-nfa.ts';

/** A rule that is another one, `min` to `max` times (`Infinity`: any number). */
export interface Repetition {
  readonly rule: number;
  readonly min: number;
  readonly max: number;
}
export type Rule = RuleNfa | Repetition;

/** Counts are 32 bits in the tables; no answer is so long that it could tell more from this. */
const MOST_COUNTED = 2 ** 31 - 1;

export class GrammarBuilder {
  readonly budget: WorkBudget;
  readonly #field: string;
  readonly #rules: (Rule | undefined)[] = [];
  readonly #names: string[] = [];
  /** Control tokens that rules read, by their index. */
  controls: readonly string[] = [];

  /** @param field what errors name */
  constructor(budget: WorkBudget, field: string) {
    this.budget = budget;
    this.#field = field;
  }

  /** A rule that is defined later: rules may call themselves. */
  reserve(name: string): number {
    this.budget.spend(4);
    this.#names.push(name);
    return this.#rules.push(undefined) - 1;
  }

  define(rule: number, build: (nfa: RuleNfa) => void): void {
    const nfa = new RuleNfa(this.budget);
    this.#rules[rule] = nfa;
    build(nfa);
  }

  rule(name: string, build: (nfa: RuleNfa) => void): number {
    const rule = this.reserve(name);
    this.define(rule, build);
    return rule;
  }

  repetition(name: string, repetition: Repetition): number {
    const rule = this.reserve(name);
    const { min, max } = repetition;
    this.#rules[rule] = {
      ...repetition,
      min: Math.min(min, MOST_COUNTED),
      max: max > MOST_COUNTED ? Number.POSITIVE_INFINITY : max,
    };
    return rule;
  }

  /** @throws InputError CONSTRAINT_INVALID when no answer exists; CONSTRAINT_UNSUPPORTED; CONSTRAINT_TOO_LARGE */
  finish(root: number, key: string): Omit<CompiledGrammar, 'takesSpace'> {
    const rules = this.#rules.map((rule) => rule ?? new RuleNfa(this.budget));
    const productive = fixpoint(rules, this.budget, (rule, holds) => reaches(rule, holds, this.budget, true));
    if (!productive[root]) {
      throw constraintError({
        code: 'CONSTRAINT_INVALID',
        field: this.#field,
        problem: 'cannot be satisfied by any answer',
        value: null,
        remedy: 'Look for requirements that exclude each other.',
      });
    }
    const nullable = fixpoint(rules, this.budget, (rule, holds) => reaches(rule, holds, this.budget, false));
    const tables = determinize(rules, productive, nullable, this.budget);
    return {
      key,
      controls: this.controls,
      root,
      acceptsEmpty: nullable[root] ?? false,
      ...tables,
      ruleOrder: this.#order(rules, tables),
    };
  }

  /** Callers before those that they can begin with. */
  #order(
    rules: readonly Rule[],
    tables: Omit<CompiledGrammar, 'key' | 'controls' | 'root' | 'takesSpace' | 'acceptsEmpty' | 'ruleOrder'>,
  ): Int32Array {
    const begins = rules.map((_, rule) => {
      const start = tables.ruleStart[rule] ?? -1;
      if (start < 0) return (tables.repeated[rule] ?? -1) < 0 ? [] : [tables.repeated[rule] ?? 0];
      return [...tables.callRule.slice(tables.callOffset[start], tables.callOffset[start + 1])];
    });
    const order = new Int32Array(rules.length);
    const state = new Uint8Array(rules.length);
    let next = rules.length;
    for (const [root] of rules.entries()) {
      const stack = [{ rule: root, child: 0 }];
      if (state[root] !== 0) continue;
      state[root] = 1;
      for (let top = stack.at(-1); top !== undefined; top = stack.at(-1)) {
        const child = begins[top.rule]?.[top.child++];
        if (child === undefined) {
          state[top.rule] = 2;
          order[top.rule] = --next;
          stack.pop();
        } else if (state[child] === 1) {
          throw this.#beginsWithItself(child);
        } else if (state[child] === 0) {
          state[child] = 1;
          stack.push({ rule: child, child: 0 });
        }
      }
    }
    return order;
  }

  #beginsWithItself(rule: number) {
    return constraintError({
      code: 'CONSTRAINT_UNSUPPORTED',
      field: this.#field,
      problem: 'has a rule that begins with itself',
      value: this.#names[rule] ?? null,
      remedy: 'Write the repetition with * or +, or put what comes first before the recursion.',
    });
  }
}

/** The least set of rules for which `test` holds, where it may ask for rules already in the set. */
function fixpoint(
  rules: readonly Rule[],
  budget: WorkBudget,
  test: (rule: Rule, holds: readonly boolean[]) => boolean,
): boolean[] {
  const holds = rules.map(() => false);
  const callers: Set<number>[] = rules.map(() => new Set());
  for (const [caller, rule] of rules.entries()) {
    if (!(rule instanceof RuleNfa)) callers[rule.rule]?.add(caller);
    else for (const calls of rule.calls) for (const call of calls) callers[call.rule]?.add(caller);
  }
  const queue = [...rules.keys()];
  for (let index = queue.pop(); index !== undefined; index = queue.pop()) {
    const rule = rules[index];
    budget.spend(1);
    if (rule === undefined || holds[index] || !test(rule, holds)) continue;
    holds[index] = true;
    queue.push(...(callers[index] ?? []));
  }
  return holds;
}

/** Whether a rule's end can be reached through rules that `holds` has; `bytes` says whether through bytes too. */
function reaches(rule: Rule, holds: readonly boolean[], budget: WorkBudget, bytes: boolean): boolean {
  if (!(rule instanceof RuleNfa)) return rule.min === 0 || (holds[rule.rule] ?? false);
  const seen = new Set([rule.start]);
  for (const state of seen) {
    if (state === rule.end) return true;
    for (const target of rule.passages[state] ?? []) seen.add(target);
    for (const call of rule.calls[state] ?? []) if (holds[call.rule]) seen.add(call.target);
    if (bytes) for (const { target } of rule.bytes[state] ?? []) seen.add(target);
  }
  budget.spend(seen.size >> 2);
  return false;
}
