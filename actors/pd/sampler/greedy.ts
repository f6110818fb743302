/** The likeliest token. */

const NOTHING = Number.NEGATIVE_INFINITY;

/**
 * Index of the largest logit; the lowest index among equals, as `torch.argmax` on the CPU and numpy do.
 *
 * @param logits `[vocabulary]`
 * @returns -1 when the logits are no basis for a choice: a NaN, +Infinity, or nothing above -Infinity
 */
export function argmax(logits: Float32Array): number {
  const max = maximum(logits);
  return Number.isFinite(max) ? logits.indexOf(max) : -1;
}

/** NaN where there is one. Four at a time: each alone would wait for the one before it. */
function maximum(values: Float32Array): number {
  let [a, b, c, d] = [NOTHING, NOTHING, NOTHING, NOTHING];
  const whole = values.length - (values.length % 4);
  for (let i = 0; i < whole; i += 4) {
    a = Math.max(a, values[i] ?? Number.NaN);
    b = Math.max(b, values[i + 1] ?? Number.NaN);
    c = Math.max(c, values[i + 2] ?? Number.NaN);
    d = Math.max(d, values[i + 3] ?? Number.NaN);
  }
  for (let i = whole; i < values.length; i++) a = Math.max(a, values[i] ?? Number.NaN);
  return Math.max(a, b, c, d);
}
