/** Sets of tokens as bits: token `t` is bit `t % 32` of word `t >> 5`. What lies behind the last word is not in the set. */

const NONE = 0;
const ALL = 0xffffffff;
const WORD = 32;

/** Whether a token is in the set. */
export function allows(mask: Uint32Array, id: number): boolean {
  return (((mask[id >>> 5] ?? NONE) >>> (id % WORD)) & 1) === 1;
}

/** The lowest token of the set; -1 when it is empty. */
export function lowestOf(mask: Uint32Array): number {
  const at = mask.findIndex((word) => word !== NONE);
  const word = mask[at] ?? NONE;
  return at === -1 ? -1 : at * WORD + 31 - Math.clz32(word & -word);
}

/** Makes every token that is not in the set impossible. @param logits `[vocabulary]`, changed in place */
export function applyMask(logits: Float32Array, mask: Uint32Array): void {
  for (let start = 0; start < logits.length; start += WORD) {
    const word = mask[start >>> 5] ?? NONE;
    if (word === ALL) continue;
    const end = Math.min(start + WORD, logits.length);
    if (word === NONE) {
      logits.fill(Number.NEGATIVE_INFINITY, start, end);
      continue;
    }
    for (let id = start; id < end; id++) {
      if (((word >>> (id - start)) & 1) === 0) logits[id] = Number.NEGATIVE_INFINITY;
    }
  }
}
