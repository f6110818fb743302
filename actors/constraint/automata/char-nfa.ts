/**
 * Automata over code points with choices, as a pattern is built up (Thompson's construction), and the way from there to a
 * deterministic one. Anchors are edges: `^` is passed only before the first code point, `$` only behind the last.
 */
import type { WorkBudget } from '../work-budget.ts';
import { type CharDfa, type CharEdge, NO_STRING, trimmed } from './char-dfa.ts';
import type { CodePoints } from './code-points.ts';

/** An edge without a code point: always, only at the start, only at the end. */
export type Passage = 'always' | 'at-start' | 'at-end';

export class CharNfa {
  readonly #budget: WorkBudget;
  readonly #passages: { readonly when: Passage; readonly target: number }[][] = [];
  readonly #edges: CharEdge[][] = [];

  constructor(budget: WorkBudget) {
    this.#budget = budget;
  }

  state(): number {
    this.#budget.spend(1);
    this.#edges.push([]);
    return this.#passages.push([]) - 1;
  }

  pass(source: number, target: number, when: Passage = 'always'): void {
    this.#budget.spend(1);
    this.#passages[source]?.push({ when, target });
  }

  read(source: number, set: CodePoints, target: number): void {
    this.#budget.spend(set.length);
    for (const [from, to] of set) this.#edges[source]?.push({ from, to, target });
  }

  /** Another automaton between two states. */
  embed(source: number, dfa: CharDfa, target: number): void {
    const states = dfa.edges.map(() => this.state());
    if (states[0] === undefined) return;
    this.pass(source, states[0]);
    for (const [index, out] of dfa.edges.entries()) {
      const from = states[index] ?? 0;
      for (const edge of out) this.read(from, [[edge.from, edge.to]], states[edge.target] ?? 0);
      if (dfa.accepting[index]) this.pass(from, target);
    }
  }

  /** The deterministic automaton of what leads from `start` to `end`. */
  toDfa(start: number, end: number): CharDfa {
    const ids = new Map<string, number>();
    const sets: number[][] = [];
    // The start is never come back to: only there may `^` be passed.
    const idOf = (set: number[], key = set.join()): number => {
      let id = ids.get(key);
      if (id === undefined) {
        id = sets.length;
        ids.set(key, id);
        sets.push(set);
      }
      return id;
    };
    idOf(
      this.#closure([start], (when) => when !== 'at-end'),
      'start',
    );
    const edges: CharEdge[][] = [];
    const accepting: boolean[] = [];
    for (let set = sets[0]; set !== undefined; set = sets[edges.length]) {
      const atStart = edges.length === 0;
      const atEnd = this.#closure(set, (when) => when !== 'at-start' || atStart);
      accepting.push(atEnd.includes(end));
      const out = this.#split(set).map(({ from, to, targets }) => ({
        from,
        to,
        target: idOf(this.#closure(targets, (when) => when === 'always')),
      }));
      this.#budget.spend(1 + out.length);
      edges.push(joined(out));
    }
    return edges.length === 0 ? NO_STRING : trimmed({ edges, accepting });
  }

  #split(set: readonly number[]) {
    const edges = set.flatMap((state) => this.#edges[state] ?? []);
    this.#budget.spend(edges.length);
    return split(edges, this.#budget);
  }

  #closure(from: readonly number[], passes: (when: Passage) => boolean): number[] {
    const seen = new Set(from);
    const queue = [...seen];
    for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
      for (const { when, target } of this.#passages[state] ?? []) {
        if (seen.has(target) || !passes(when)) continue;
        seen.add(target);
        queue.push(target);
      }
    }
    this.#budget.spend(seen.size >> 2);
    return [...seen].sort((a, b) => a - b);
  }
}

/** Cuts overlapping edges into ranges, each with all of its targets. */
function split(
  edges: readonly CharEdge[],
  budget: WorkBudget,
): { from: number; to: number; targets: number[] }[] {
  const cuts = new Set<number>();
  for (const { from, to } of edges) cuts.add(from).add(to + 1);
  const bounds = [...cuts].sort((a, b) => a - b);
  const place = new Map(bounds.map((bound, index) => [bound, index]));
  const targets: Set<number>[] = bounds.map(() => new Set());
  for (const { from, to, target } of edges) {
    const first = place.get(from) ?? 0;
    const last = place.get(to + 1) ?? 0;
    budget.spend((last - first) >> 3);
    for (let i = first; i < last; i++) targets[i]?.add(target);
  }
  const pieces = bounds.map((from, i) => ({
    from,
    to: (bounds[i + 1] ?? from) - 1,
    targets: [...(targets[i] ?? [])],
  }));
  return pieces.filter((piece) => piece.targets.length > 0);
}

/** Neighbours with one target become one edge. */
function joined(edges: readonly CharEdge[]): CharEdge[] {
  const out: CharEdge[] = [];
  for (const edge of edges) {
    const last = out.at(-1);
    if (last !== undefined && last.target === edge.target && last.to + 1 === edge.from) {
      out[out.length - 1] = { ...last, to: edge.to };
    } else out.push(edge);
  }
  return out;
}
