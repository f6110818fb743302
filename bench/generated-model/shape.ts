/** The sizes of a generated model. */

/** How the decoder attends to its past: one fused operator, or plain operators with Concat, as Optimum exports. */
export type AttentionKind = 'gqa' | 'concat';
export const ATTENTION_KINDS: readonly AttentionKind[] = ['gqa', 'concat'];

export interface ModelShape {
  readonly name: string;
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly text: {
    readonly layers: number;
    readonly hidden: number;
    readonly mlp: number;
    readonly heads: number;
    readonly kvHeads: number;
    readonly headDim: number;
    readonly epsilon: number;
    readonly ropeTheta: number;
  };
  readonly vision: {
    readonly layers: number;
    readonly hidden: number;
    readonly mlp: number;
    readonly heads: number;
    /** Side of the square image, pixels. */
    readonly side: number;
    readonly patch: number;
    readonly epsilon: number;
  };
  /** `pixelShuffle²` patches become one image token. */
  readonly pixelShuffle: number;
}

/** The sizes in the configuration of HuggingFaceTB/SmolVLM-256M-Instruct; an image is one tile. */
const SMOLVLM_256M: ModelShape = {
  name: 'smolvlm-256m',
  vocabulary: 49_280,
  contextLength: 8192,
  text: {
    layers: 30,
    hidden: 576,
    mlp: 1536,
    heads: 9,
    kvHeads: 3,
    headDim: 64,
    epsilon: 1e-5,
    ropeTheta: 100_000,
  },
  vision: { layers: 12, hidden: 768, mlp: 3072, heads: 12, side: 512, patch: 16, epsilon: 1e-6 },
  pixelShuffle: 4,
};

/** Layers below this take the vocabulary down with them: a smoke test needs no 49,280 logits. */
const FULL_LAYERS = SMOLVLM_256M.text.layers;
const SMALL_VOCABULARY = 4096;

/** @param layers of the decoder; fewer than 30 make a model for smoke tests, with a small vocabulary and as few vision layers in proportion */
export function smolvlmShape(layers = FULL_LAYERS): ModelShape {
  if (layers === FULL_LAYERS) return SMOLVLM_256M;
  const { text, vision } = SMOLVLM_256M;
  const visionLayers = Math.max(1, Math.round((vision.layers * layers) / FULL_LAYERS));
  return {
    ...SMOLVLM_256M,
    name: `smolvlm-256m-${layers}-layers`,
    vocabulary: SMALL_VOCABULARY,
    text: { ...text, layers },
    vision: { ...vision, layers: visionLayers },
  };
}

/** Patches along one side of an image. */
export function gridOf({ vision }: ModelShape): number {
  return vision.side / vision.patch;
}

export function imageTokensOf(shape: ModelShape): number {
  return (gridOf(shape) / shape.pixelShuffle) ** 2;
}
