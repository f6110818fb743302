/** The body of one rule while it is built: bytes, calls of other rules, and passages without either. */
import type { CharDfa } from '../automata/char-dfa.ts';
import { utf8Ranges } from '../automata/utf8-ranges.ts';
import type { WorkBudget } from '../work-budget.ts';

export interface ByteEdge {
  readonly from: number;
  readonly to: number;
  readonly target: number;
}
export interface Call {
  readonly rule: number;
  readonly target: number;
}

/** Bytes that UTF-8 never has stand for control tokens. */
export const FIRST_CONTROL = 0xf8;
export const MAX_CONTROLS = 8;

const NONE: readonly never[] = [];
const utf8 = new TextEncoder();

export class RuleNfa {
  readonly #budget: WorkBudget;
  readonly bytes: (readonly ByteEdge[])[] = [];
  readonly calls: (readonly Call[])[] = [];
  readonly passages: (readonly number[])[] = [];
  /** Where the rule begins and ends. */
  readonly start: number;
  readonly end: number;

  constructor(budget: WorkBudget) {
    this.#budget = budget;
    this.start = this.state();
    this.end = this.state();
  }

  state(): number {
    this.#budget.spend(1);
    // Most states have one kind of way out: the lists that stay empty are one list.
    this.bytes.push(NONE);
    this.calls.push(NONE);
    return this.passages.push(NONE) - 1;
  }

  pass(source: number, target: number): void {
    this.#budget.spend(1);
    append(this.passages, source, target);
  }

  call(source: number, rule: number, target: number): void {
    this.#budget.spend(1);
    append(this.calls, source, { rule, target });
  }

  /** Exactly this text. */
  text(source: number, text: string, target: number): void {
    const bytes = utf8.encode(text);
    let at = source;
    for (const [i, byte] of bytes.entries()) {
      const next = i === bytes.length - 1 ? target : this.state();
      this.#byte(at, byte, byte, next);
      at = next;
    }
    if (bytes.length === 0) this.pass(source, target);
  }

  /** One code point of a range, in UTF-8. */
  codePoint(source: number, from: number, to: number, target: number): void {
    for (const sequence of utf8Ranges(from, to)) {
      let at = source;
      for (const [i, [low, high]] of sequence.entries()) {
        const next = i === sequence.length - 1 ? target : this.state();
        this.#byte(at, low, high, next);
        at = next;
      }
    }
  }

  /** A string of the language; `write` puts the code points of a range between two states. */
  language(
    source: number,
    dfa: CharDfa,
    target: number,
    write: (nfa: RuleNfa, source: number, from: number, to: number, target: number) => void,
  ): void {
    const states = dfa.edges.map(() => this.state());
    if (states[0] === undefined) return;
    this.pass(source, states[0]);
    for (const [index, out] of dfa.edges.entries()) {
      const from = states[index] ?? 0;
      for (const edge of out) write(this, from, edge.from, edge.to, states[edge.target] ?? 0);
      if (dfa.accepting[index]) this.pass(from, target);
    }
  }

  /** A control token whose text is part of the answer: the `index`th of the grammar's. */
  control(source: number, index: number, target: number): void {
    this.#byte(source, FIRST_CONTROL + index, FIRST_CONTROL + index, target);
  }

  #byte(source: number, from: number, to: number, target: number): void {
    this.#budget.spend(1);
    append(this.bytes, source, { from, to, target });
  }
}

function append<T>(lists: (readonly T[])[], index: number, item: T): void {
  const list = lists[index];
  // A list that is not the shared one was made here, and may grow.
  if (list === undefined || list.length === 0) lists[index] = [item];
  else (list as T[]).push(item);
}
