/** The sizes of a generated model. */

/** How the decoder attends to its past: one fused operator, or plain operators with Concat, as Optimum exports. */
export type AttentionKind = 'gqa' | 'concat';
export const ATTENTION_KINDS: readonly AttentionKind[] = ['gqa', 'concat'];

export interface ModelShape {
  readonly name: string;
  /** `model_type` of the files. */
  readonly modelType: 'idefics3' | 'qwen2_vl' | 'gemma3';
  readonly vocabulary: number;
  readonly contextLength: number;
  readonly text: DecoderShape;
  readonly vision: VisionShape;
}

export interface DecoderShape {
  readonly layers: number;
  readonly hidden: number;
  readonly mlp: number;
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly epsilon: number;
  readonly ropeTheta: number;
  readonly gate: 'silu' | 'gelu-tanh';
  /** Whether queries, keys and values have something added to their product. */
  readonly biases: boolean;
  /** Whether queries and keys are normalized, each head by itself. */
  readonly headNorms: boolean;
  /** Norms before attention and MLP, or behind them too. */
  readonly norms: 'before' | 'around';
  /** Whether the embedding graph multiplies by the root of the width. */
  readonly scalesEmbeddings: boolean;
  /** Frequencies that go by time, height and width, of `position_ids` `[3, batch, sequence]`. Absent: one position a token. */
  readonly sections?: readonly [time: number, height: number, width: number];
  /** What all layers see but every `period`-th, which sees everything. Absent: all see everything. */
  readonly sliding?: { readonly window: number; readonly ropeTheta: number; readonly period: number };
}

export type VisionShape = TowerShape | PatchesShape | PictureShape;

/** A SigLIP-like tower of true size, and pixel shuffle: `pixelShuffle²` patches become one image token. */
export interface TowerShape {
  readonly kind: 'tower';
  readonly layers: number;
  readonly hidden: number;
  readonly mlp: number;
  readonly heads: number;
  /** Side of the square image, pixels. */
  readonly side: number;
  readonly patch: number;
  readonly epsilon: number;
  readonly pixelShuffle: number;
}

/** Two products over patches, in the place of a tower: inputs and outputs are right, the work is not. `merge²` patches are a token. */
export interface PatchesShape {
  readonly kind: 'patches';
  readonly hidden: number;
  readonly patch: number;
  readonly frames: number;
  readonly merge: number;
}

/** Patches, averaged and projected, in the place of a tower: inputs and outputs are right, the work is not. */
export interface PictureShape {
  readonly kind: 'picture';
  readonly hidden: number;
  readonly side: number;
  readonly patch: number;
  /** Patches along the side of the square that becomes one token. */
  readonly pool: number;
}

/** How one layer sees its past. */
export interface LayerAttention {
  readonly ropeTheta: number;
  /** Tokens that one sees, itself among them; undefined: all. */
  readonly window: number | undefined;
}

export function attentionOf({ sliding, ropeTheta }: DecoderShape, layer: number): LayerAttention {
  if (sliding === undefined || (layer + 1) % sliding.period === 0) return { ropeTheta, window: undefined };
  return { ropeTheta: sliding.ropeTheta, window: sliding.window };
}

/** Patches along one side of an image. */
export function gridOf({ side, patch }: { readonly side: number; readonly patch: number }): number {
  return side / patch;
}

/** Tokens of an image whose size is fixed. */
export function imageTokensOf(vision: TowerShape | PictureShape): number {
  return (gridOf(vision) / (vision.kind === 'tower' ? vision.pixelShuffle : vision.pool)) ** 2;
}
