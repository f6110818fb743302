/** What a thread needs before its first tensor. */
import { isMainThread } from 'node:worker_threads';
import { giveWay } from '../../runtime/thread/give-way.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import { useUint16ForFloat16 } from './half-precision.ts';

/** To be called by each actor that runs graphs, before it loads them. */
export function prepareInferenceThread({ graphs }: ModelDirectory): void {
  giveWay();
  const dtypes = [graphs.vision, graphs.embed, graphs.decoder].map((graph) => graph?.dtype);
  const half = dtypes.includes('fp16') || dtypes.includes('q4f16');
  // The caller's own thread must keep its globals.
  if (half && !isMainThread) useUint16ForFloat16();
}
