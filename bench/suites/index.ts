/** All suites, in the order in which they run. */
import type { Suite } from '../suite.ts';
import { channelSuite } from './channel.ts';
import { decodeSuite } from './decode.ts';
import { decodeContextSuite } from './decode-context.ts';
import { encodeSuite } from './encode.ts';
import { endToEndSuite } from './end-to-end.ts';
import { prefillSuite } from './prefill.ts';
import { prefillInterferenceSuite } from './prefill-interference.ts';
import { repeatedImageSuite } from './repeated-image.ts';
import { throughputSuite } from './throughput.ts';

export const SUITES: readonly Suite[] = [
  channelSuite,
  encodeSuite,
  prefillSuite,
  decodeSuite,
  endToEndSuite,
  throughputSuite,
  decodeContextSuite,
  prefillInterferenceSuite,
  repeatedImageSuite,
];
