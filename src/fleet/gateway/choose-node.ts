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

/**
 * As many tokens of work that a node holds make up for one request a place that it has more than another. Less sends all who
 * ask the same to one node, more computes again what another holds: by the simulation in `bench/fleet/`, see docs/fleet.md.
 */
export const TOKENS_PER_LOAD = 3_000;

/** Nodes that hold something are looked at up to this number. */
const MOST_HOLDERS = 16;

export interface Chosen<Node> {
  readonly node: Node;
  /** Tokens of the request's work that it holds. */
  readonly heldTokens: number;
}

export function chooseNode<Node extends NodeChoice>(
  { nodes, work, holders, random }: Choosing<Node>,
  tokensPerLoad = TOKENS_PER_LOAD,
): Chosen<Node> {
  const held = new Map<Node, number>();
  for (const { key, tokens } of work) {
    for (const node of holders(key)) {
      const before = held.get(node);
      if (before === undefined && held.size >= MOST_HOLDERS) continue;
      held.set(node, (before ?? 0) + tokens);
    }
  }
  for (let i = 0; i < 2; i++) {
    const node = nodes[Math.floor(random() * nodes.length)];
    if (node !== undefined && !held.has(node)) held.set(node, 0);
  }
  let best: Chosen<Node> | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (const [node, heldTokens] of held) {
    const cost = (node.load / node.places) * tokensPerLoad - heldTokens;
    if (cost < least) {
      least = cost;
      best = { node, heldTokens };
    }
  }
  if (best === undefined) throw new RangeError('there is no node to choose from');
  return best;
}
