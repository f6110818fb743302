/** The shapes that there are: sizes from the configurations of published models. */
import type { ModelShape } from './shape.ts';

export const SHAPE_NAMES = ['smolvlm-256m', 'qwen2-vl-2b', 'gemma-3-4b'] as const;
export type ShapeName = (typeof SHAPE_NAMES)[number];

const LLAMA = {
  gate: 'silu',
  biases: false,
  headNorms: false,
  norms: 'before',
  scalesEmbeddings: false,
} as const;

/** HuggingFaceTB/SmolVLM-256M-Instruct; an image is one tile. */
const SMOLVLM_256M: ModelShape = {
  name: 'smolvlm-256m',
  modelType: 'idefics3',
  vocabulary: 49_280,
  contextLength: 8192,
  text: {
    ...LLAMA,
    layers: 30,
    hidden: 576,
    mlp: 1536,
    heads: 9,
    kvHeads: 3,
    headDim: 64,
    epsilon: 1e-5,
    ropeTheta: 100_000,
  },
  vision: {
    kind: 'tower',
    layers: 12,
    hidden: 768,
    mlp: 3072,
    heads: 12,
    side: 512,
    patch: 16,
    epsilon: 1e-6,
    pixelShuffle: 4,
  },
};

/** Qwen/Qwen2-VL-2B-Instruct; its context is 32,768. */
const QWEN2_VL_2B: ModelShape = {
  name: 'qwen2-vl-2b',
  modelType: 'qwen2_vl',
  vocabulary: 151_936,
  contextLength: 8192,
  text: {
    ...LLAMA,
    biases: true,
    layers: 28,
    hidden: 1536,
    mlp: 8960,
    heads: 12,
    kvHeads: 2,
    headDim: 128,
    epsilon: 1e-6,
    ropeTheta: 1_000_000,
    sections: [16, 24, 24],
  },
  vision: { kind: 'patches', hidden: 256, patch: 14, frames: 2, merge: 2 },
};

/** google/gemma-3-4b-it; its context is 131,072, and its rotary embedding then slowed down by 8. */
const GEMMA_3_4B: ModelShape = {
  name: 'gemma-3-4b',
  modelType: 'gemma3',
  vocabulary: 262_208,
  contextLength: 8192,
  text: {
    layers: 34,
    hidden: 2560,
    mlp: 10_240,
    heads: 8,
    kvHeads: 4,
    headDim: 256,
    epsilon: 1e-6,
    ropeTheta: 1_000_000,
    gate: 'gelu-tanh',
    biases: false,
    headNorms: true,
    norms: 'around',
    scalesEmbeddings: true,
    sliding: { window: 1024, ropeTheta: 10_000, period: 6 },
  },
  vision: { kind: 'picture', hidden: 256, side: 896, patch: 14, pool: 4 },
};

const WHOLE: Record<ShapeName, ModelShape> = {
  'smolvlm-256m': SMOLVLM_256M,
  'qwen2-vl-2b': QWEN2_VL_2B,
  'gemma-3-4b': GEMMA_3_4B,
};

/** Of the decoder, where the command line does not say. Each layer of the larger models is as the others are. */
export const DEFAULT_LAYERS: Record<ShapeName, number> = {
  'smolvlm-256m': SMOLVLM_256M.text.layers,
  'qwen2-vl-2b': 4,
  'gemma-3-4b': 6,
};

/** Layers below the whole model's take the vocabulary down with them: a smoke test needs no 49,280 logits. */
const SMALL_VOCABULARY = 4096;
const VOCABULARY_STEP = 64;

/**
 * @param layers of the decoder. With fewer than the model has, the vocabulary is smaller and, where there is a tower, vision layers
 *   are fewer in proportion
 */
export function shapeOf(name: ShapeName, layers = DEFAULT_LAYERS[name]): ModelShape {
  const whole = WHOLE[name];
  const { text, vision } = whole;
  if (layers === text.layers) return whole;
  const share = layers / text.layers;
  return {
    ...whole,
    name: `${name}-${layers}-layers`,
    vocabulary: vision.kind === 'tower' ? SMALL_VOCABULARY : vocabularyFor(whole.vocabulary * share),
    text: { ...text, layers },
    vision:
      vision.kind === 'tower'
        ? { ...vision, layers: Math.max(1, Math.round(vision.layers * share)) }
        : vision,
  };
}

/** The head weighs as much beside the layers as in the whole model. */
function vocabularyFor(tokens: number): number {
  return Math.max(SMALL_VOCABULARY, Math.round(tokens / VOCABULARY_STEP) * VOCABULARY_STEP);
}
