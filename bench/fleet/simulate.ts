/**
 * A simulated fleet: nodes that run prompts one after the other and decode many answers at once, each with a cache; and
 * gateways that know of them what they announced a second ago and what they have sent them since. What is chosen by is the
 * code of the gateway, `chooseNode` and `KeyIndex`.
 */

import { ANNOUNCE_MS } from '../../src/fleet/fleet-times.ts';
import {
  type Chosen,
  chooseNode,
  type NodeChoice,
  type Weights,
} from '../../src/fleet/gateway/choose-node.ts';
import { KeyIndex } from '../../src/fleet/gateway/key-index.ts';
import type { Trace, TraceRequest } from './trace.ts';

/** Weights: what a gateway does, with these. */
export type Policy = 'random' | 'turns' | 'two choices' | 'held alone' | Weights;

export interface Simulated {
  /** Of the tokens that any node had, how many the chosen one had. */
  readonly hitRate: number;
  readonly p99QueueMs: number;
  /** Busy time of the busiest node against the mean. */
  readonly imbalance: number;
}

export interface SimulationOptions {
  readonly nodes: number;
  readonly trace: Trace;
  readonly policy: Policy;
  readonly random: () => number;
}

const GATEWAYS = 2;
const PLACES = 32;
/** Of a node: as the report of the embedded model's larger sibling has them on two cores, rounded. */
const PROMPT_TOKENS_PER_MS = 1.5;
const STEP_MS = 20;
const STEP_MS_PER_ANSWER = 1;
const CACHE_TOKENS = 120_000;
const ANNOUNCED_KEYS = 1_024;

class Node {
  readonly id: string;
  readonly places = PLACES;
  readonly cache = new Map<string, number>();
  cachedTokens = 0;
  running = 0;
  busyMs = 0;
  promptFreeAt = 0;
  /** Prompts in order, as a gateway told what they would cost. */
  readonly prompts: { readonly endsAt: number; readonly tokens: number }[] = [];

  constructor(id: string) {
    this.id = id;
  }

  waitingTokens(atMs: number): number {
    while ((this.prompts[0]?.endsAt ?? atMs + 1) <= atMs) this.prompts.shift();
    return this.prompts.reduce((sum, { tokens }) => sum + tokens, 0);
  }

  /** @returns tokens that it did not have */
  run(work: TraceRequest['work']): number {
    let missing = 0;
    for (const { key, tokens } of work) {
      if (this.cache.delete(key)) this.cachedTokens -= tokens;
      else missing += tokens;
      this.cache.set(key, tokens);
      this.cachedTokens += tokens;
    }
    for (const [key, tokens] of this.cache) {
      if (this.cachedTokens <= CACHE_TOKENS) break;
      this.cache.delete(key);
      this.cachedTokens -= tokens;
    }
    return missing;
  }
}

interface View extends NodeChoice {
  readonly node: Node;
  load: number;
  waitingTokens: number;
}

class Gateway {
  readonly index = new KeyIndex();
  readonly views: View[];

  constructor(nodes: readonly Node[]) {
    this.views = nodes.map((node) => ({ node, id: node.id, places: node.places, load: 0, waitingTokens: 0 }));
    for (const { id } of nodes) this.index.replace(id, []);
  }

  hear(atMs: number): void {
    for (const view of this.views) {
      view.load = view.node.running;
      view.waitingTokens = view.node.waitingTokens(atMs);
      this.index.replace(view.id, [...view.node.cache.keys()].slice(-ANNOUNCED_KEYS));
    }
  }
}

export function simulate({ nodes: count, trace, policy, random }: SimulationOptions): Simulated {
  const nodes = Array.from({ length: count }, (_, i) => new Node(`n${i}`));
  const gateways = Array.from({ length: GATEWAYS }, () => new Gateway(nodes));
  const ends: { readonly atMs: number; readonly node: Node }[] = [];
  const known = new Set<string>();
  const queues: number[] = [];
  let hits = 0;
  let possible = 0;
  let announcedAt = 0;
  let turn = 0;
  for (const { atMs, answerTokens, work } of trace) {
    for (let next = ends[0]; next !== undefined && next.atMs <= atMs; next = ends[0]) {
      popEnd(ends);
      next.node.running -= 1;
    }
    if (atMs >= announcedAt) {
      for (const gateway of gateways) gateway.hear(atMs);
      announcedAt = atMs + ANNOUNCE_MS;
    }
    const gateway = gateways[turn++ % GATEWAYS] as Gateway; // there are as many
    const { node: view, heldTokens } = chosen(gateway, work, policy, random, Math.floor(turn / GATEWAYS));
    const { node } = view;
    const total = work.reduce((sum, { tokens }) => sum + tokens, 0);
    const told = total - heldTokens;
    view.load += 1;
    view.waitingTokens += told;
    gateway.index.add(
      node.id,
      work.map(({ key }) => key),
    );
    for (const { key, tokens } of work) if (known.has(key)) possible += tokens;
    for (const { key } of work) known.add(key);
    const missing = node.run(work);
    hits += total - missing;
    const promptMs = Math.max(1, missing) / PROMPT_TOKENS_PER_MS;
    const startsAt = Math.max(atMs, node.promptFreeAt);
    node.promptFreeAt = startsAt + promptMs;
    node.prompts.push({ endsAt: node.promptFreeAt, tokens: told });
    node.running += 1;
    const decodeMs = answerTokens * (STEP_MS + STEP_MS_PER_ANSWER * node.running);
    node.busyMs += promptMs + decodeMs / PLACES;
    queues.push(startsAt - atMs);
    pushEnd(ends, { atMs: startsAt + promptMs + decodeMs, node });
  }
  queues.sort((a, b) => a - b);
  const busy = nodes.map(({ busyMs }) => busyMs);
  return {
    hitRate: possible === 0 ? 1 : hits / possible,
    p99QueueMs: queues[Math.floor(queues.length * 0.99)] ?? 0,
    imbalance: Math.max(...busy) / (busy.reduce((sum, one) => sum + one, 0) / busy.length),
  };
}

function chosen(
  gateway: Gateway,
  work: TraceRequest['work'],
  policy: Policy,
  random: () => number,
  turn: number,
): Chosen<View> {
  const { views, index } = gateway;
  const byId = (id: string) => views[Number(id.slice(1))] ?? [];
  const at = (place: number) => ({ node: views[place % views.length] as View, heldTokens: 0 }); // there are some
  if (policy === 'random') return at(Math.floor(random() * views.length));
  if (policy === 'turns') return at(turn);
  // Next to nothing, so that of several that hold the same the less loaded is taken.
  const weights = typeof policy === 'object' ? policy : { tokensPerLoad: 1e-3, waitingWeight: 0 };
  const holders = (key: string) => (policy === 'two choices' ? [] : [...index.holders(key)].flatMap(byId));
  return chooseNode({ nodes: views, work, holders, random }, weights);
}

/** A heap by time. */
function pushEnd(heap: { atMs: number; node: Node }[], end: { atMs: number; node: Node }): void {
  let at = heap.push(end) - 1;
  while (at > 0) {
    const parent = (at - 1) >> 1;
    if ((heap[parent]?.atMs ?? 0) <= end.atMs) break;
    heap[at] = heap[parent] as typeof end; // it is within
    at = parent;
  }
  heap[at] = end;
}

function popEnd(heap: { atMs: number; node: Node }[]): void {
  const last = heap.pop();
  if (last === undefined || heap.length === 0) return;
  let at = 0;
  for (;;) {
    let child = 2 * at + 1;
    if (child >= heap.length) break;
    if ((heap[child + 1]?.atMs ?? Number.POSITIVE_INFINITY) < (heap[child]?.atMs ?? 0)) child += 1;
    if ((heap[child]?.atMs ?? 0) >= last.atMs) break;
    heap[at] = heap[child] as typeof last; // it is within
    at = child;
  }
  heap[at] = last;
}
