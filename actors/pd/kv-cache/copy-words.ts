/** Copies between arrays of 32-bit words; the new rows of a step are many and short. */

/** Up to this many words, a loop beats the making of a view. */
const SMALL_COPY_WORDS = 32;

export function copyWords(
  source: Uint32Array,
  from: number,
  target: Uint32Array,
  to: number,
  count: number,
): void {
  if (count > SMALL_COPY_WORDS) {
    target.set(source.subarray(from, from + count), to);
    return;
  }
  for (let i = 0; i < count; i++) target[to + i] = source[from + i] ?? 0;
}
