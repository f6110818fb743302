/** All suites, in the order in which they run. */
import type { Suite } from '../suite.ts';
import { channelSuite } from './channel.ts';
import { constrainedAnswersSuite } from './constrained-answers.ts';
import { constraintsSuite } from './constraints.ts';

import { decodeSuite } from './decode.ts';
import { decodeContextSuite } from './decode-context.ts';
import { encodeSuite } from './encode.ts';
import { endToEndSuite } from './end-to-end.ts';
import { engineOverheadSuite } from './engine-overhead.ts';
import { familyParitySuite } from './family-parity.ts';
import { fleetSuite } from './fleet.ts';
import { fleetRoutingSuite } from './fleet-routing.ts';
import { gpuSuite } from './gpu.ts';
import { gpuFp16Suite } from './gpu-fp16.ts';
import { gpuGraphsSuite } from './gpu-graphs.ts';
import { llamaCppSuite } from './llama-cpp.ts';
import { llamaMemorySuite } from './llama-memory.ts';
import { llamaParitySuite } from './llama-parity.ts';
import { llamaPicturesSuite } from './llama-pictures.ts';
import { paritySuite } from './parity.ts';
import { prefillSuite } from './prefill.ts';
import { prefillInterferenceSuite } from './prefill-interference.ts';
import { promptProductsSuite } from './prompt-products.ts';
import { quantizationSuite } from './quantization.ts';
import { repeatedImageSuite } from './repeated-image.ts';
import { scalingSuite } from './scaling.ts';
import { soakSuite } from './soak.ts';
import { speculationSuite } from './speculation.ts';
import { stepLimitsSuite } from './step-limits.ts';
import { throughputSuite } from './throughput.ts';
import { workerMemorySuite } from './worker-memory.ts';

export const SUITES: readonly Suite[] = [
  channelSuite,
  constraintsSuite,
  encodeSuite,
  prefillSuite,
  decodeSuite,
  endToEndSuite,
  throughputSuite,
  llamaCppSuite,
  llamaPicturesSuite,
  scalingSuite,
  decodeContextSuite,
  engineOverheadSuite,
  stepLimitsSuite,
  constrainedAnswersSuite,
  speculationSuite,
  prefillInterferenceSuite,
  repeatedImageSuite,
  fleetSuite,
  fleetRoutingSuite,
  workerMemorySuite,
  llamaMemorySuite,
  soakSuite,
  paritySuite,
  llamaParitySuite,
  familyParitySuite,
  quantizationSuite,
  promptProductsSuite,
  gpuGraphsSuite,
  gpuSuite,
  gpuFp16Suite,
];
