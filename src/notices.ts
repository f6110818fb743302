/** What an engine tells once, when it has started. */
import { NOT_KEPT } from '../actors/model/graph-cache.ts';
import type { RewritableGraph } from '../actors/model/model-directory.ts';
import type { PlacedModel } from './place-weights.ts';

/** Derived files that could not be kept: the engine works without them, slower or in more memory. */
export function noticesOf({ directory: { graphs }, weights, notCopied }: PlacedModel): readonly string[] {
  const files: readonly (RewritableGraph<{ rewritten: boolean; reason?: string }> | undefined)[] = [
    graphs.vision,
    graphs.decoder,
  ];
  const reasons = [
    ...files.map((file) => file?.rewrite?.reason),
    ...weights.map(({ reason }) => reason),
    ...notCopied,
  ];
  const notKept = reasons.filter((reason) => reason?.startsWith(NOT_KEPT) === true);
  const remedy = 'Let TROUPE_CACHE_DIR name a folder that can be written';
  return [...new Set(notKept)].map((reason) => `${reason}. ${remedy}`);
}
