/**
 * Grammars in llama.cpp's GBNF (github.com/ggml-org/llama.cpp, grammars/README.md) as rules. Texts, sets of characters,
 * rules by name, groups, alternatives, and repetitions (`*`, `+`, `?`, `{2,5}`) are honoured; a rule that begins with
 * itself is refused, as there.
 */
import { constraintError } from '../constraint-errors.ts';
import type { GrammarBuilder } from '../grammar/grammar-builder.ts';
import type { RuleNfa } from '../grammar/rule-nfa.ts';
import { GbnfFault, type GbnfPiece, gbnfPieces } from './gbnf-lexer.ts';

/** Groups within groups. */
const MAX_DEPTH = 64;

/** The number of the rule `root`. @throws InputError CONSTRAINT_INVALID, CONSTRAINT_TOO_LARGE */
export function gbnfRule(grammar: string, field: string, builder: GrammarBuilder): number {
  try {
    return new GbnfRules(gbnfPieces(grammar), builder).build();
  } catch (error) {
    if (!(error instanceof GbnfFault)) throw error;
    const remedy = 'Write rules (name ::= …) as GBNF has them.';
    const value = grammar.split('\n')[error.line - 1] ?? '';
    const problem = `has ${error.message} in line ${error.line}`;
    throw constraintError({ code: 'CONSTRAINT_INVALID', field, problem, value, remedy });
  }
}

class GbnfRules {
  readonly #pieces: readonly GbnfPiece[];
  readonly #builder: GrammarBuilder;
  readonly #rules = new Map<string, number>();
  readonly #defined = new Set<string>();
  /** Line in which each name is used first. */
  readonly #used = new Map<string, number>();
  #at = 0;
  #depth = 0;

  constructor(pieces: readonly GbnfPiece[], builder: GrammarBuilder) {
    this.#pieces = pieces;
    this.#builder = builder;
  }

  build(): number {
    while (this.#at < this.#pieces.length) this.#definition();
    for (const [name, line] of this.#used) {
      if (!this.#defined.has(name))
        throw new GbnfFault(`the rule ${name.slice(0, 60)}, which is not defined,`, line);
    }
    if (!this.#defined.has('root')) throw new GbnfFault('no rule root', 1);
    return this.#ruleOf('root');
  }

  #definition(): void {
    const piece = this.#pieces[this.#at];
    const line = piece?.line ?? 1;
    if (piece?.kind !== 'name' || !this.#isDefinition(this.#at)) {
      throw new GbnfFault('something that is no rule (name ::= …)', line);
    }
    if (this.#defined.has(piece.name)) throw new GbnfFault(`the rule ${piece.name.slice(0, 60)} twice`, line);
    this.#defined.add(piece.name);
    this.#at += 2;
    this.#builder.define(this.#ruleOf(piece.name), (nfa) => this.#alternatives(nfa, nfa.start, nfa.end));
  }

  #isDefinition(at: number): boolean {
    const next = this.#pieces[at + 1];
    return this.#pieces[at]?.kind === 'name' && next?.kind === 'sign' && next.sign === '::=';
  }

  #ruleOf(name: string): number {
    const rule = this.#rules.get(name) ?? this.#builder.reserve(name);
    this.#rules.set(name, rule);
    return rule;
  }

  #alternatives(nfa: RuleNfa, start: number, end: number): void {
    do this.#sequence(nfa, start, end);
    while (this.#take('|'));
  }

  #sequence(nfa: RuleNfa, start: number, end: number): void {
    let at = nfa.state();
    nfa.pass(start, at);
    for (let piece = this.#pieces[this.#at]; piece !== undefined; piece = this.#pieces[this.#at]) {
      if (this.#isDefinition(this.#at)) break;
      if (piece.kind === 'sign' && piece.sign !== '(') break;
      at = this.#repeated(nfa, at);
    }
    nfa.pass(at, end);
  }

  /** One item with the repetition behind it. Returns where it ends. */
  #repeated(nfa: RuleNfa, start: number): number {
    const behind = nfa.state();
    const repeat = this.#pieces[this.#endOfItem()];
    if (repeat?.kind !== 'repeat') {
      this.#item(nfa, start, behind);
      return behind;
    }
    const { min, max, line } = repeat;
    if (min > max) throw new GbnfFault('a repetition with more at least than at most', line);
    const body = this.#builder.rule('repeated', (inner) => this.#item(inner, inner.start, inner.end));
    this.#at++;
    if (this.#pieces[this.#at]?.kind === 'repeat') throw new GbnfFault('a repetition of a repetition', line);
    nfa.call(start, this.#builder.repetition('repetition', { rule: body, min, max }), behind);
    return behind;
  }

  /** Where the item that begins here has ended. */
  #endOfItem(): number {
    let open = 0;
    for (let at = this.#at; at < this.#pieces.length; at++) {
      const piece = this.#pieces[at];
      if (piece?.kind === 'sign' && piece.sign === '(') open++;
      if (piece?.kind === 'sign' && piece.sign === ')') open--;
      this.#builder.budget.spend(1);
      if (open <= 0) return at + 1;
    }
    return this.#pieces.length;
  }

  #item(nfa: RuleNfa, start: number, end: number): void {
    const piece = this.#pieces[this.#at++];
    switch (piece?.kind) {
      case undefined:
        return;
      case 'name':
        if (!this.#used.has(piece.name)) this.#used.set(piece.name, piece.line);
        nfa.call(start, this.#ruleOf(piece.name), end);
        return;
      case 'text':
        nfa.text(start, piece.text, end);
        return;
      case 'chars':
        for (const [from, to] of piece.set) nfa.codePoint(start, from, to, end);
        return;
      case 'repeat':
        throw new GbnfFault('a repetition of nothing', piece.line);
      case 'sign':
        this.#group(nfa, piece.line, start, end);
        return;
      default:
        piece satisfies never;
    }
  }

  #group(nfa: RuleNfa, line: number, start: number, end: number): void {
    this.#depth++;
    if (this.#depth > MAX_DEPTH) throw new GbnfFault(`groups nested deeper than ${MAX_DEPTH}`, line);
    this.#alternatives(nfa, start, end);
    if (!this.#take(')')) throw new GbnfFault('a parenthesis that is not closed', line);
    this.#depth--;
  }

  #take(sign: '|' | ')'): boolean {
    const piece = this.#pieces[this.#at];
    if (piece?.kind !== 'sign' || piece.sign !== sign) return false;
    this.#at++;
    return true;
  }
}
