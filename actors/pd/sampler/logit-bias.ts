/** What a caller adds to the logits of single tokens. */
export class LogitBias {
  readonly #added: readonly (readonly [id: number, bias: number])[];

  /** @param bias by token id */
  constructor(bias: Readonly<Record<number, number>>) {
    this.#added = Object.entries(bias)
      .map(([id, added]) => [Number(id), added] as const)
      .filter(([, added]) => added !== 0);
  }

  /** Whether logits are left as they are. */
  get off(): boolean {
    return this.#added.length === 0;
  }

  /** @param logits `[vocabulary]`, changed in place */
  apply(logits: Float32Array): void {
    for (const [id, added] of this.#added) {
      const logit = logits[id];
      if (logit !== undefined) logits[id] = logit + added;
    }
  }
}
