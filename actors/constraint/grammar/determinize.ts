/**
 * The bodies of rules as deterministic tables (subset construction): bytes lead to one state, and calls of one rule come
 * back to one. A state may still have both, or calls of several rules: matching follows all of them.
 */
import type { WorkBudget } from '../work-budget.ts';
import type { CompiledGrammar } from './compiled-grammar.ts';
import type { Rule } from './grammar-builder.ts';
import { type ByteEdge, RuleNfa } from './rule-nfa.ts';

type Tables = Omit<
  CompiledGrammar,
  'key' | 'controls' | 'root' | 'takesSpace' | 'acceptsEmpty' | 'ruleOrder'
>;

interface Growing {
  accepting: number[];
  edgeOffset: number[];
  edgeFrom: number[];
  edgeTo: number[];
  edgeTarget: number[];
  callOffset: number[];
  callRule: number[];
  callTarget: number[];
}

/** @param productive rules that something satisfies @param nullable rules that the empty text satisfies */
export function determinize(
  rules: readonly Rule[],
  productive: readonly boolean[],
  nullable: readonly boolean[],
  budget: WorkBudget,
): Tables {
  const ruleStart = new Int32Array(rules.length).fill(-1);
  const repeated = new Int32Array(rules.length).fill(-1);
  const repeatMin = new Int32Array(rules.length);
  const repeatMax = new Int32Array(rules.length);
  const out: Growing = {
    accepting: [],
    edgeOffset: [0],
    edgeFrom: [],
    edgeTo: [],
    edgeTarget: [],
    callOffset: [0],
    callRule: [],
    callTarget: [],
  };
  for (const [index, rule] of rules.entries()) {
    if (!productive[index]) continue;
    if (rule instanceof RuleNfa) {
      ruleStart[index] = out.accepting.length;
      new Subsets(rule, productive, nullable, budget, out).run();
    } else if (productive[rule.rule]) {
      repeated[index] = rule.rule;
      // An empty round counts as one: whoever may come empty may as well not come.
      repeatMin[index] = nullable[rule.rule] ? 0 : rule.min;
      repeatMax[index] = rule.max === Number.POSITIVE_INFINITY ? -1 : rule.max;
    }
  }
  return {
    ruleStart,
    repeated,
    repeatMin,
    repeatMax,
    accepting: Uint8Array.from(out.accepting),
    edgeOffset: Int32Array.from(out.edgeOffset),
    edgeFrom: Uint8Array.from(out.edgeFrom),
    edgeTo: Uint8Array.from(out.edgeTo),
    edgeTarget: Int32Array.from(out.edgeTarget),
    callOffset: Int32Array.from(out.callOffset),
    callRule: Int32Array.from(out.callRule),
    callTarget: Int32Array.from(out.callTarget),
    byteClass: byteClasses(out),
  };
}

/** One rule's subsets, appended to the tables. */
class Subsets {
  readonly #rule: RuleNfa;
  readonly #productive: readonly boolean[];
  readonly #nullable: readonly boolean[];
  readonly #budget: WorkBudget;
  readonly #out: Growing;
  readonly #alive: Uint8Array;
  readonly #ids = new Map<string, number>();
  readonly #sets: (readonly number[])[] = [];
  readonly #first: number;

  constructor(
    rule: RuleNfa,
    productive: readonly boolean[],
    nullable: readonly boolean[],
    budget: WorkBudget,
    out: Growing,
  ) {
    this.#rule = rule;
    this.#productive = productive;
    this.#nullable = nullable;
    this.#budget = budget;
    this.#out = out;
    this.#first = out.accepting.length;
    this.#alive = this.#reachEnd();
  }

  run(): void {
    this.#idOf([this.#rule.start]);
    for (let i = 0; i < this.#sets.length; i++) this.#emit(this.#sets[i] ?? []);
  }

  /** States from which the rule's end can be reached. */
  #reachEnd(): Uint8Array {
    const { bytes, calls, passages, end } = this.#rule;
    const sources: number[][] = bytes.map(() => []);
    for (const [state] of bytes.entries()) {
      for (const { target } of bytes[state] ?? []) sources[target]?.push(state);
      for (const call of calls[state] ?? [])
        if (this.#productive[call.rule]) sources[call.target]?.push(state);
      for (const target of passages[state] ?? []) sources[target]?.push(state);
    }
    const alive = new Uint8Array(bytes.length);
    alive[end] = 1;
    const queue = [end];
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      for (const source of sources[state] ?? []) {
        if (alive[source] === 1) continue;
        alive[source] = 1;
        queue.push(source);
      }
    }
    return alive;
  }

  #emit(set: readonly number[]): void {
    const out = this.#out;
    out.accepting.push(set.includes(this.#rule.end) ? 1 : 0);
    const edges: ByteEdge[] = [];
    for (const state of set) {
      for (const edge of this.#rule.bytes[state] ?? []) if (this.#alive[edge.target] === 1) edges.push(edge);
    }
    const [only] = edges;
    if (only !== undefined && edges.length === 1) {
      this.#budget.spend(1);
      this.#emitEdge(only.from, only.to, this.#idOf([only.target]));
    } else if (edges.length > 1) this.#emitCut(edges);
    out.edgeOffset.push(out.edgeFrom.length);
    this.#emitCalls(set);
  }

  #emitEdge(from: number, to: number, target: number): void {
    this.#out.edgeFrom.push(from);
    this.#out.edgeTo.push(to);
    this.#out.edgeTarget.push(target);
  }

  /** Edges that may overlap, cut into ranges that do not; neighbours that lead to one state are one. */
  #emitCut(edges: readonly ByteEdge[]): void {
    const bounds = new Set<number>();
    for (const { from, to } of edges) bounds.add(from).add(to + 1);
    const cuts = [...bounds].sort((a, b) => a - b);
    const coming = edges.toSorted((a, b) => b.from - a.from);
    let open: ByteEdge[] = [];
    let last: { from: number; to: number; target: number } | undefined;
    for (let i = 0; i + 1 < cuts.length; i++) {
      const from = cuts[i] ?? 0;
      const to = (cuts[i + 1] ?? 0) - 1;
      open = open.filter((edge) => edge.to >= from);
      for (let edge = coming.at(-1); edge?.from === from; edge = coming.at(-1)) {
        open.push(edge);
        coming.pop();
      }
      const targets = open.map(({ target }) => target);
      this.#budget.spend(1 + (open.length >> 2));
      if (targets.length === 0) continue;
      const target = this.#idOf(targets);
      if (last !== undefined && last.target === target && last.to + 1 === from) last.to = to;
      else {
        if (last !== undefined) this.#emitEdge(last.from, last.to, last.target);
        last = { from, to, target };
      }
    }
    if (last !== undefined) this.#emitEdge(last.from, last.to, last.target);
  }

  #emitCalls(set: readonly number[]): void {
    const out = this.#out;
    const returns = new Map<number, number[]>();
    for (const state of set) {
      for (const { rule, target } of this.#rule.calls[state] ?? []) {
        if (!this.#productive[rule] || !this.#alive[target]) continue;
        const list = returns.get(rule);
        if (list === undefined) returns.set(rule, [target]);
        else list.push(target);
      }
    }
    for (const [rule, targets] of returns) {
      this.#budget.spend(1);
      out.callRule.push(rule);
      out.callTarget.push(this.#idOf(targets));
    }
    out.callOffset.push(out.callRule.length);
  }

  #reached(targets: readonly number[]): number[] {
    const seen = new Set(targets);
    const add = (target: number): void => {
      if (this.#alive[target] === 1) seen.add(target);
    };
    // A set is gone through in the order in which it grows.
    for (const state of seen) {
      for (const target of this.#rule.passages[state] ?? []) add(target);
      for (const { rule, target } of this.#rule.calls[state] ?? []) if (this.#nullable[rule]) add(target);
    }
    this.#budget.spend(1 + (seen.size >> 2));
    return [...seen].sort((a, b) => a - b);
  }

  /** The state for what can be reached from `targets` without a byte. */
  #idOf(targets: readonly number[]): number {
    const set = this.#reached(targets);
    const key = set.length === 1 ? `${set[0]}` : set.join();
    let id = this.#ids.get(key);
    if (id === undefined) {
      id = this.#first + this.#sets.length;
      this.#ids.set(key, id);
      this.#sets.push(set);
    }
    return id;
  }
}

function byteClasses({ edgeFrom, edgeTo }: Growing): Uint8Array {
  const begins = new Uint8Array(257);
  for (const from of edgeFrom) begins[from] = 1;
  for (const to of edgeTo) begins[to + 1] = 1;
  const classes = new Uint8Array(256);
  let current = 0;
  for (let byte = 1; byte < 256; byte++) {
    if (begins[byte] === 1) current++;
    classes[byte] = current;
  }
  return classes;
}
