/** Languages that are one set of characters over and over, `[a-z ]+`: a length beside them can be counted. */
import type { CharDfa, CharEdge } from './char-dfa.ts';

export interface RepeatedClass {
  /** Ranges of the characters. */
  readonly ranges: readonly (readonly [number, number])[];
  /** Characters at least and, `Infinity` for any number, at most. */
  readonly min: number;
  readonly max: number;
}

/** What `dfa` repeats; `undefined` where its characters differ from place to place, or lengths are left out. */
export function repeatedClass({ edges, accepting }: CharDfa): RepeatedClass | undefined {
  const first = edges[0]?.[0] === undefined ? undefined : charactersOf(edges[0]);
  if (first === undefined) return undefined;
  const min = accepting.indexOf(true);
  const path = new Set<number>();
  let state: number | undefined = 0;
  while (state !== undefined && !path.has(state)) {
    // States are in the order of their lengths, or the language is no such one.
    if (state !== path.size || (accepting[state] ?? false) !== state >= min) return undefined;
    path.add(state);
    const out: readonly CharEdge[] = edges[state] ?? [];
    if (out.length > 0 && charactersOf(out) !== first) return undefined;
    if (out.some(({ target }) => target !== out[0]?.target)) return undefined;
    state = out[0]?.target;
  }
  // It leads back to where it may not end: only every second length belongs to it, say.
  if (state !== undefined && state < min) return undefined;
  const ranges = (edges[0] ?? []).map(({ from, to }) => [from, to] as const);
  return { ranges, min, max: state === undefined ? path.size - 1 : Number.POSITIVE_INFINITY };
}

/** The characters of edges that are sorted, in one writing. */
function charactersOf(edges: readonly CharEdge[]): string {
  const merged: [number, number][] = [];
  for (const { from, to } of edges) {
    const last = merged.at(-1);
    if (last !== undefined && last[1] + 1 === from) last[1] = to;
    else merged.push([from, to]);
  }
  return merged.join(' ');
}
