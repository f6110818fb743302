/** All rewriters, on the thread that calls them. */
import type { GraphRewriters } from '../model-directory.ts';
import { rewrittenDecoder } from './rewritten-decoder.ts';
import { rewrittenPrompts } from './rewritten-prompts.ts';
import { rewrittenVision } from './rewritten-vision.ts';

export const REWRITERS: GraphRewriters = {
  decoder: rewrittenDecoder,
  vision: rewrittenVision,
  prompts: rewrittenPrompts,
};
