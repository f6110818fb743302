/** The likeliest token. */

/**
 * Index of the largest logit; the lowest index among equals, as `torch.argmax` on the CPU and numpy do.
 *
 * @param logits `[vocabulary]`
 * @returns -1 when the logits are no basis for a choice: a NaN, +Infinity, or nothing above -Infinity
 */
export function argmax(logits: Float32Array): number {
  let best = Number.NEGATIVE_INFINITY;
  let index = -1;
  for (let i = 0; i < logits.length; i++) {
    const value = logits[i] ?? Number.NaN;
    if (value > best) {
      best = value;
      index = i;
    } else if (Number.isNaN(value)) {
      return -1;
    }
  }
  return best === Number.POSITIVE_INFINITY ? -1 : index;
}
