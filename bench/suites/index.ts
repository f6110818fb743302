/** All suites, in the order in which they run. */
import type { Suite } from '../suite.ts';
import { channelSuite } from './channel.ts';

export const SUITES: readonly Suite[] = [channelSuite];
