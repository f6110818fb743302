/**
 * Qwen3-VL (2025): as Qwen2-VL, with larger patches, and "deepstack": what inner layers of the vision graph saw is added
 * behind the first layers of the decoder.
 */
import { qwenFamily } from './qwen-vl.ts';

export const qwen3Vl = qwenFamily({
  modelType: 'qwen3_vl',
  deepstack: [8, 16, 24],
  defaults: { heads: 32, kvHeads: 32, headDim: 128, contextLength: 128_000 },
});
