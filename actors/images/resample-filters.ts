/**
 * The resampling filters of Pillow, by the ids that preprocessor configurations use, and the fixed-point weights
 * they give for one axis. The vision graphs were trained on pixels made with exactly these numbers.
 */

interface ResampleFilter {
  /** Half width of the filter, in pixels of the smaller of source and target. */
  readonly support: number;
  weight(x: number): number;
}

const sinc = (x: number): number => (x === 0 ? 1 : Math.sin(x * Math.PI) / (x * Math.PI));

const lanczos: ResampleFilter = {
  support: 3,
  weight: (x) => (x >= -3 && x < 3 ? sinc(x) * sinc(x / 3) : 0),
};

const bilinear: ResampleFilter = {
  support: 1,
  weight: (x) => Math.max(0, 1 - Math.abs(x)),
};

/** Keys' cubic with a = -0.5. */
const bicubic: ResampleFilter = {
  support: 2,
  weight: (signed) => {
    const x = Math.abs(signed);
    if (x < 1) return (1.5 * x - 2.5) * x * x + 1;
    return x < 2 ? -0.5 * (((x - 5) * x + 8) * x - 4) : 0;
  },
};

const box: ResampleFilter = {
  support: 0.5,
  weight: (x) => (x > -0.5 && x <= 0.5 ? 1 : 0),
};

const hamming: ResampleFilter = {
  support: 1,
  weight: (signed) => {
    const x = Math.abs(signed);
    if (x >= 1) return 0;
    return x === 0 ? 1 : sinc(x) * (0.54 + 0.46 * Math.cos(x * Math.PI));
  },
};

/** Nearest neighbour is no filter: it picks pixels. */
export const NEAREST = 0;

/** Filters by id; nearest (0) is absent. */
export const RESAMPLE_FILTERS: ReadonlyMap<number, ResampleFilter> = new Map([
  [1, lanczos],
  [2, bilinear],
  [3, bicubic],
  [4, box],
  [5, hamming],
]);

/**
 * Whose fixed-point arithmetic. Both libraries use the same filters and differ in the fraction bits of a weight, and so in
 * single levels of a pixel. transformers resizes with torchvision where it can (`TorchvisionBackend`, its default), with
 * Pillow in processors of older models.
 */
export type ResizeArithmetic = 'pillow' | 'torchvision';

/** Pillow: 8 bits of pixel and 2 of headroom for overshoot leave 22 of 32. */
const PILLOW_BITS = 32 - 8 - 2;
/** torchvision on 8-bit images: weights are int16, with as many fraction bits as the largest of an axis leaves. */
const INT16_LIMIT = 1 << 15;

/** One axis of a resize: which source pixels make each target pixel, with which weights. */
export interface AxisWeights {
  /** First source pixel, by target pixel. */
  readonly starts: Int32Array;
  /** Number of source pixels, by target pixel; at most `stride`. */
  readonly counts: Int32Array;
  /** `stride` weights by target pixel, of which the first `count` are used; each scaled by 2^bits. */
  readonly weights: Int32Array;
  readonly stride: number;
  /** Fraction bits of a weight. */
  readonly bits: number;
}

/** Weights for bringing `sourceSize` pixels to `targetSize`. When shrinking, the filter widens by the same ratio. */
export function axisWeights(
  filter: ResampleFilter,
  sourceSize: number,
  targetSize: number,
  arithmetic: ResizeArithmetic,
): AxisWeights {
  const scale = sourceSize / targetSize;
  const filterScale = Math.max(1, scale);
  const support = filter.support * filterScale;
  const stride = Math.ceil(support) * 2 + 1;
  const starts = new Int32Array(targetSize);
  const counts = new Int32Array(targetSize);
  const weights = new Int32Array(targetSize * stride);
  const exact = new Float64Array(targetSize * stride);
  let largest = 0;
  for (let target = 0; target < targetSize; target++) {
    const center = (target + 0.5) * scale;
    const start = Math.max(0, Math.trunc(center - support + 0.5));
    const count = Math.min(sourceSize, Math.trunc(center + support + 0.5)) - start;
    let sum = 0;
    for (let i = 0; i < count; i++) {
      const weight = filter.weight((i + start - center + 0.5) / filterScale);
      exact[target * stride + i] = weight;
      sum += weight;
    }
    for (let i = target * stride; i < target * stride + count; i++) {
      const share = (exact[i] ?? 0) / sum;
      exact[i] = share;
      largest = Math.max(largest, share);
    }
    starts[target] = start;
    counts[target] = count;
  }
  const bits = arithmetic === 'pillow' ? PILLOW_BITS : int16Bits(largest);
  for (const [i, share] of exact.entries()) {
    const scaled = share * 2 ** bits;
    // Half away from zero, as the reference's cast does.
    weights[i] = Math.trunc(scaled < 0 ? scaled - 0.5 : scaled + 0.5);
  }
  return { starts, counts, weights, stride, bits };
}

/** Most fraction bits, up to Pillow's, with which the largest weight is below 2¹⁵ (`aten/native/cpu/UpSampleKernel.cpp`). */
function int16Bits(largest: number): number {
  let bits = 0;
  while (bits < PILLOW_BITS && Math.trunc(0.5 + largest * 2 ** (bits + 1)) < INT16_LIMIT) bits += 1;
  return bits;
}
