/** A node for a request, now or as soon as there is one. */
import { after } from '../../../runtime/util/timers.ts';
import { NO_NODE_MS } from '../fleet-times.ts';
import type { WorkKey } from '../request-keys.ts';
import type { Chosen } from './choose-node.ts';
import type { GatewayLink } from './gateway-link.ts';
import type { KnownNode } from './node-table.ts';

export interface Wanted {
  readonly model: string;
  readonly work: readonly WorkKey[];
  /** Nodes that have refused or lost it. */
  readonly tried: Set<string>;
  readonly signal: AbortSignal;
}

/**
 * Undefined when every node that serves the model was tried, or none has come within `NO_NODE_MS`.
 * @throws the signal's reason when it aborts
 */
export async function awaitNode(
  { nodes }: GatewayLink,
  wanted: Wanted,
): Promise<Chosen<KnownNode> | undefined> {
  const { model, work, tried, signal } = wanted;
  const choose = () => nodes.choose(model, work, tried);
  const found = choose();
  if (found !== undefined || nodes.serving(model).length > 0) return found;
  const { promise, resolve, reject } = Promise.withResolvers<Chosen<KnownNode> | undefined>();
  const timer = after(NO_NODE_MS, () => resolve(undefined));
  const onAbort = () => reject(signal.reason);
  const onChanged = () => {
    const chosen = choose();
    if (chosen !== undefined) resolve(chosen);
  };
  signal.addEventListener('abort', onAbort, { once: true });
  nodes.events.on('changed', onChanged);
  try {
    return await promise;
  } finally {
    clearTimeout(timer);
    signal.removeEventListener('abort', onAbort);
    nodes.events.off('changed', onChanged);
  }
}
