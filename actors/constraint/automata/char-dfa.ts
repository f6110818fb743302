/**
 * Deterministic automata over code points: the languages of strings that patterns, formats and bounds give, before it is
 * said how a string is written (as JSON, as it is). State 0 is the start; a code point without an edge is refused. All
 * that come out of this module are trimmed: from each state an accepting one can be reached, so no answer runs into a
 * dead end.
 */
import type { WorkBudget } from '../work-budget.ts';

/** Code points `from` to `to` lead to `target`. */
export interface CharEdge {
  readonly from: number;
  readonly to: number;
  readonly target: number;
}

export interface CharDfa {
  /** Edges of each state, sorted, none overlapping. Empty list of states: the empty language. */
  readonly edges: readonly (readonly CharEdge[])[];
  readonly accepting: readonly boolean[];
}

/** No string. */
export const NO_STRING: CharDfa = { edges: [], accepting: [] };

/** Whether `text` belongs to the language. */
export function matches(dfa: CharDfa, text: string): boolean {
  let state: number | undefined = dfa.edges.length === 0 ? undefined : 0;
  for (const character of text) {
    if (state === undefined) return false;
    const point = character.codePointAt(0) ?? 0;
    state = dfa.edges[state]?.find((edge) => edge.from <= point && point <= edge.to)?.target;
  }
  return state !== undefined && (dfa.accepting[state] ?? false);
}

/** Strings of both. */
export function intersect(a: CharDfa, b: CharDfa, budget: WorkBudget): CharDfa {
  return product(a, b, budget, false);
}

/** Strings of `a` that are not in `b`. */
export function subtract(a: CharDfa, b: CharDfa, budget: WorkBudget): CharDfa {
  return product(a, b, budget, true);
}

const DEAD = -1;

/** Pairs of states; with `minus` the second may have died, and accepts what it does not. */
function product(a: CharDfa, b: CharDfa, budget: WorkBudget, minus: boolean): CharDfa {
  if (a.edges.length === 0) return NO_STRING;
  if (b.edges.length === 0) return minus ? a : NO_STRING;
  const ids = new Map<number, number>();
  const pairs: (readonly [number, number])[] = [];
  const idOf = (left: number, right: number): number => {
    const key = left * (b.edges.length + 1) + right + 1;
    let id = ids.get(key);
    if (id === undefined) {
      id = pairs.length;
      ids.set(key, id);
      pairs.push([left, right]);
    }
    return id;
  };
  idOf(0, 0);
  const edges: CharEdge[][] = [];
  const accepting: boolean[] = [];
  for (let next = pairs[0]; next !== undefined; next = pairs[edges.length]) {
    const [left, right] = next;
    const ofRight = b.accepting[right] ?? false;
    accepting.push((a.accepting[left] ?? false) && ofRight !== minus);
    const out: CharEdge[] = [];
    for (const edge of pairedEdges(a.edges[left] ?? [], b.edges[right] ?? [], minus)) {
      out.push({ from: edge.from, to: edge.to, target: idOf(edge.left, edge.right) });
    }
    budget.spend(1 + out.length);
    edges.push(out);
  }
  return trimmed({ edges, accepting });
}

function* pairedEdges(a: readonly CharEdge[], b: readonly CharEdge[], keepUnpaired: boolean) {
  let j = 0;
  for (const edge of a) {
    let from = edge.from;
    while (j < b.length && (b[j]?.to ?? 0) < from) j++;
    for (let k = j; from <= edge.to; k++) {
      const other = b[k];
      if (other === undefined || other.from > edge.to) break;
      if (other.from > from && keepUnpaired) {
        yield { from, to: other.from - 1, left: edge.target, right: DEAD };
      }
      const start = Math.max(from, other.from);
      const end = Math.min(edge.to, other.to);
      yield { from: start, to: end, left: edge.target, right: other.target };
      from = end + 1;
    }
    if (from <= edge.to && keepUnpaired) yield { from, to: edge.to, left: edge.target, right: DEAD };
  }
}

/** Without the states from which nothing is accepted. */
export function trimmed({ edges, accepting }: CharDfa): CharDfa {
  const sources: number[][] = edges.map(() => []);
  for (const [state, out] of edges.entries()) for (const { target } of out) sources[target]?.push(state);
  const alive = accepting.slice();
  const queue = [...alive.keys()].filter((state) => alive[state]);
  for (let state = queue.pop(); state !== undefined; state = queue.pop()) {
    for (const source of sources[state] ?? []) {
      if (alive[source]) continue;
      alive[source] = true;
      queue.push(source);
    }
  }
  if (!alive[0]) return NO_STRING;
  const renamed: number[] = [];
  let count = 0;
  for (const [state, lives] of alive.entries()) if (lives) renamed[state] = count++;
  return {
    edges: edges
      .filter((_, state) => alive[state])
      .map((out) =>
        out
          .filter(({ target }) => alive[target])
          .map(({ from, to, target }) => ({ from, to, target: renamed[target] ?? 0 })),
      ),
    accepting: accepting.filter((_, state) => alive[state]),
  };
}

/** Lengths in code points of the shortest and the longest string; `Infinity` where there is no longest. */
export function lengthsOf(dfa: CharDfa): { readonly shortest: number; readonly longest: number } {
  const distance = [0];
  const order = [0];
  for (let i = 0; i < order.length; i++) {
    const state = order[i] ?? 0;
    for (const { target } of dfa.edges[state] ?? []) {
      if (distance[target] !== undefined) continue;
      distance[target] = (distance[state] ?? 0) + 1;
      order.push(target);
    }
  }
  const ends = order.filter((state) => dfa.accepting[state]).map((state) => distance[state] ?? 0);
  return { shortest: Math.min(...ends), longest: longest(dfa) };
}

/** By layers of a topological order; a circle has no such order. */
function longest({ edges }: CharDfa): number {
  const incoming = edges.map(() => 0);
  for (const out of edges) for (const { target } of out) incoming[target] = (incoming[target] ?? 0) + 1;
  const depth = edges.map(() => 0);
  const ready = [...incoming.keys()].filter((state) => incoming[state] === 0);
  let done = 0;
  let most = 0;
  for (let state = ready.pop(); state !== undefined; state = ready.pop()) {
    done++;
    most = Math.max(most, depth[state] ?? 0);
    for (const { target } of edges[state] ?? []) {
      depth[target] = Math.max(depth[target] ?? 0, (depth[state] ?? 0) + 1);
      incoming[target] = (incoming[target] ?? 0) - 1;
      if (incoming[target] === 0) ready.push(target);
    }
  }
  return done === edges.length ? most : Number.POSITIVE_INFINITY;
}
