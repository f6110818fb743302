/**
 * Which node gets a request. Those that hold some of its work are weighed against their load, together with two at random;
 * of nodes that hold nothing, that is the power of two choices (Mitzenmacher, "The power of two choices in randomized load
 * balancing", 2001): nearly as good as asking all of them, and gateways that do not know of each other do not all choose
 * the same one. A conversation stays where it is because its own beginning is held there.
 */

/** What is known of a node for one model. */
export interface NodeChoice {
  readonly id: string;
  /** Requests in its engine at once. */
  readonly places: number;
  /** Requests that it has, in its engine and before it. */
  readonly load: number;
  /** Tokens of their prompts that it has still to run, images counted as tokens. */
  readonly waitingTokens: number;
}

export interface AskedWork {
  readonly key: string;
  readonly tokens: number;
}

export interface Choosing<Node extends NodeChoice> {
  /** Those that may be chosen; at least one. */
  readonly nodes: readonly Node[];
  readonly work: readonly AskedWork[];
  /** Nodes of `nodes` that hold the key. */
  holders(key: string): Iterable<Node>;
  /** Uniform in [0, 1). */
  random(): number;
}

/** Nodes that hold something are looked at up to this number. */
const MOST_HOLDERS = 16;

export interface Chosen<Node> {
  readonly node: Node;
  /** Tokens of the request's work that it holds. */
  readonly heldTokens: number;
}

/** What a token of work that a node holds, and need not run, is weighed against. */
export interface Weights {
  /**
   * As many make up for one request a place that it has more than another. Less sends all who ask the same to one node, more
   * computes again what another holds.
   */
  readonly tokensPerLoad: number;
  /** What a token of other prompts weighs that it has to run first. More forgets what nodes hold. */
  readonly waitingWeight: number;
}

/** By the simulation in `bench/fleet/`, see docs/fleet.md. */
export const DEFAULT_WEIGHTS: Weights = { tokensPerLoad: 3_000, waitingWeight: 0.25 };

export function chooseNode<Node extends NodeChoice>(
  { nodes, work, holders, random }: Choosing<Node>,
  { tokensPerLoad, waitingWeight } = DEFAULT_WEIGHTS,
): Chosen<Node> {
  const held = new Map<Node, number>();
  for (const { key, tokens } of work) {
    for (const node of holders(key)) {
      const before = held.get(node);
      if (before === undefined && held.size >= MOST_HOLDERS) continue;
      held.set(node, (before ?? 0) + tokens);
    }
  }
  // Two that differ: of a small fleet, the same would come up twice often, however busy it is.
  const first = Math.floor(random() * nodes.length);
  const second = Math.floor(random() * (nodes.length - 1));
  for (const index of [first, second < first ? second : second + 1]) {
    const node = nodes[index];
    if (node !== undefined && !held.has(node)) held.set(node, 0);
  }
  let best: Chosen<Node> | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [node, heldTokens] of held) {
    const wait = waitingWeight * node.waitingTokens;
    const cost = (node.load / node.places) * tokensPerLoad + wait - heldTokens;
    if (cost < least) {
      least = cost;
      best = { node, heldTokens };
    }
  }
  if (best === undefined) throw new RangeError('there is no node to choose from');
  return best;
}
