/** Qwen2-VL (Wang et al. 2024). */
import { qwenFamily } from './qwen-vl.ts';

export const qwen2Vl = qwenFamily({
  modelType: 'qwen2_vl',
  defaults: { heads: 64, kvHeads: 8, contextLength: 32_768 },
});
