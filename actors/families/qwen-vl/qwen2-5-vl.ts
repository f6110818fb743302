/** Qwen2.5-VL (Bai et al. 2025): as Qwen2-VL, with windows inside its vision graph. */
import { qwenFamily } from './qwen-vl.ts';

export const qwen25Vl = qwenFamily({
  modelType: 'qwen2_5_vl',
  defaults: { heads: 64, kvHeads: 8, contextLength: 32_768 },
});
