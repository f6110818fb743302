/** How long the first run of a graph may take, of which nothing is known yet but the size of the model. */
import { isGpu } from '../../actors/inference/gpu/device.ts';
import type { ModelGraphs } from '../../actors/model/model-directory.ts';
import { DEFAULT_PULSE_LIMITS } from '../../runtime/supervision/watchdog.ts';
import type { Devices } from '../devices/choose-devices.ts';

/** What nothing takes that is not computing, on the busiest machine, ms. */
const BASE_MS = 20_000;
/** A first run is of 16 tokens or one tile: 2,000 operations a weight, at most. This is 80 of them in a ns. */
const MS_PER_WEIGHT = 25e-6;

/**
 * Weights have been read by then (`page-in.ts`), so the disk counts for nothing. On a GPU the first run compiles: nothing is
 * known of that.
 */
export function nativeLimit(graphs: ModelGraphs, { encoder, pd }: Devices): number {
  if (isGpu(encoder) || isGpu(pd)) return DEFAULT_PULSE_LIMITS.nativeMs;
  const counts = [graphs.vision, graphs.embed, graphs.decoder].map((graph) =>
    graph === undefined ? 0 : mostWeights(graph.signature.initializerBytes),
  );
  return BASE_MS + MS_PER_WEIGHT * Math.max(...counts);
}

/** Bytes may hold two weights of 4 bits each. */
function mostWeights(bytesByType: Readonly<Record<string, number>>): number {
  return Object.entries(bytesByType).reduce(
    (sum, [type, bytes]) => sum + bytes * (WEIGHTS_PER_BYTE[type] ?? 2),
    0,
  );
}

const WEIGHTS_PER_BYTE: Readonly<Record<string, number>> = {
  float32: 1 / 4,
  float16: 1 / 2,
  int64: 1 / 8,
  int32: 1 / 4,
};
