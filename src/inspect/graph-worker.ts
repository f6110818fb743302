/** Reads and rewrites graph files on a pool thread: parsing a large protobuf would block the caller's. */
import { type GraphSignature, readGraphSignature } from '../../actors/model/onnx/graph-signature.ts';
import {
  type DecoderRewrite,
  type RewriteRequest,
  rewrittenDecoder,
} from '../../actors/model/rewrite/rewritten-decoder.ts';
import { type Outcome, outcomeOf } from '../../runtime/thread/thread-control.ts';

/** piscina flattens errors, so the outcome is explicit. */
export function readSignature(path: string): Promise<Outcome<GraphSignature>> {
  return outcomeOf(() => readGraphSignature(path));
}

export function rewriteDecoder(request: RewriteRequest): Promise<Outcome<DecoderRewrite>> {
  return outcomeOf(() => rewrittenDecoder(request));
}
