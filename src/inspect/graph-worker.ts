/** Reads, rewrites and copies model files on a pool thread: parsing a large one would block the caller's. */
import { type GraphSignature, readGraphSignature } from '../../actors/model/onnx/graph-signature.ts';
import {
  type DecoderRewrite,
  type DecoderToRewrite,
  rewrittenDecoder,
} from '../../actors/model/rewrite/rewritten-decoder.ts';
import type { GraphToRewrite } from '../../actors/model/rewrite/rewritten-graph.ts';
import { type PromptsRewrite, rewrittenPrompts } from '../../actors/model/rewrite/rewritten-prompts.ts';
import { rewrittenVision, type VisionRewrite } from '../../actors/model/rewrite/rewritten-vision.ts';
import { readTokenIds, type TokenIds, type TokensToFind } from '../../actors/model/token-ids.ts';
import { type CopiedWeights, copiedWeights, type WeightFile } from '../../actors/model/weight-copies.ts';
import { type Outcome, outcomeOf } from '../../runtime/thread/thread-control.ts';

/** piscina flattens errors, so the outcome is explicit. */
export function readSignature(path: string): Promise<Outcome<GraphSignature>> {
  return outcomeOf(() => readGraphSignature(path));
}

export function findTokens(tokens: TokensToFind): Promise<Outcome<TokenIds>> {
  return outcomeOf(() => readTokenIds(tokens));
}

export function rewriteDecoder(graph: DecoderToRewrite): Promise<Outcome<DecoderRewrite>> {
  return outcomeOf(() => rewrittenDecoder(graph));
}

export function rewritePrompts(graph: DecoderToRewrite): Promise<Outcome<PromptsRewrite>> {
  return outcomeOf(() => rewrittenPrompts(graph));
}

export function rewriteVision(graph: GraphToRewrite): Promise<Outcome<VisionRewrite>> {
  return outcomeOf(() => rewrittenVision(graph));
}

export function copyWeights(files: readonly WeightFile[]): Promise<Outcome<CopiedWeights>> {
  return outcomeOf(() => copiedWeights(files));
}
