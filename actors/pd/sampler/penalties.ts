/**
 * Penalties on tokens that the model has already seen. They change only the logits of those tokens, in place:
 * the row is this step's own output, nobody reads it afterwards.
 *
 * Repetition comes first (transformers' first logits processor), then frequency and presence (vLLM's order).
 */
export interface PenaltyStrengths {
  /** > 0; 1 is off. Keskar et al. 2019, "CTRL", §4.1: over prompt and answer, once per token. */
  readonly repetitionPenalty: number;
  /** Subtracted from every token of the answer so far, once. 0 is off. */
  readonly presencePenalty: number;
  /** Subtracted per occurrence in the answer so far. 0 is off. */
  readonly frequencyPenalty: number;
}

export class Penalties {
  readonly #strengths: PenaltyStrengths;
  /** Tokens of the prompt and the answer; kept only while repetition is penalized. */
  readonly #seen = new Set<number>();
  /** Occurrences in the answer; kept only while presence or frequency is penalized. */
  readonly #counts = new Map<number, number>();

  constructor(strengths: PenaltyStrengths, promptIds: Int32Array) {
    this.#strengths = strengths;
    if (this.#penalizesRepetition) for (const id of promptIds) this.#seen.add(id);
  }

  /** Whether logits are left as they are. */
  get off(): boolean {
    return !this.#penalizesRepetition && !this.#penalizesOccurrence;
  }

  get #penalizesRepetition(): boolean {
    return this.#strengths.repetitionPenalty !== 1;
  }

  get #penalizesOccurrence(): boolean {
    return this.#strengths.presencePenalty !== 0 || this.#strengths.frequencyPenalty !== 0;
  }

  /** Takes note of a token of the answer. */
  observe(id: number): void {
    if (this.#penalizesRepetition) this.#seen.add(id);
    if (this.#penalizesOccurrence) this.#counts.set(id, (this.#counts.get(id) ?? 0) + 1);
  }

  /** @param logits `[vocabulary]`, changed in place */
  apply(logits: Float32Array): void {
    const { repetitionPenalty, presencePenalty, frequencyPenalty } = this.#strengths;
    for (const id of this.#seen) {
      const logit = logits[id];
      if (logit === undefined) continue;
      logits[id] = logit < 0 ? logit * repetitionPenalty : logit / repetitionPenalty;
    }
    for (const [id, count] of this.#counts) {
      const logit = logits[id];
      if (logit !== undefined) logits[id] = logit - frequencyPenalty * count - presencePenalty;
    }
  }
}
