/** Reads one graph file's signature on a pool thread: parsing a large protobuf would block the caller's. */
import { type GraphSignature, readGraphSignature } from '../../actors/model/onnx/graph-signature.ts';
import { type Outcome, outcomeOf } from '../../runtime/thread/thread-control.ts';

/** piscina flattens errors, so the outcome is explicit. */
export default function readSignature(path: string): Promise<Outcome<GraphSignature>> {
  return outcomeOf(() => readGraphSignature(path));
}
