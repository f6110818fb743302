/**
 * Ends a text before the first stop string, also one that spans several tokens. Text that could still become a
 * stop string is held back, so no part of one is ever handed out; all other text passes at once.
 *
 * "First" is the stop string that is complete first, and of two that end together the longer: what is found does
 * not depend on where the token boundaries fall.
 */
export interface StoppedText {
  /** Text that is safe to show. */
  readonly text: string;
  /** True when a stop string appeared: `text` is the last. */
  readonly stopped: boolean;
  /** Which one, when it did. */
  readonly by?: string;
}

export class StopStrings {
  readonly #stops: readonly string[];
  #held = '';

  /** @param stops empty strings are ignored */
  constructor(stops: readonly string[]) {
    this.#stops = stops.filter((stop) => stop !== '');
  }

  push(text: string): StoppedText {
    if (this.#stops.length === 0) return { text, stopped: false };
    const pending = this.#held + text;
    const first = this.#firstStop(pending);
    if (first !== undefined) {
      this.#held = '';
      return { text: pending.slice(0, first.start), stopped: true, by: first.stop };
    }
    const safe = pending.length - this.#beginningAtEnd(pending);
    this.#held = pending.slice(safe);
    return { text: pending.slice(0, safe), stopped: false };
  }

  /** What is still held back, once no more text can come: it is no stop string after all. */
  flush(): string {
    const held = this.#held;
    this.#held = '';
    return held;
  }

  /** The first complete stop string, and where it begins. */
  #firstStop(text: string): { readonly stop: string; readonly start: number } | undefined {
    let first: { readonly stop: string; readonly start: number } | undefined;
    let end = Number.POSITIVE_INFINITY;
    for (const stop of this.#stops) {
      const index = text.indexOf(stop);
      if (index === -1) continue;
      const stopEnd = index + stop.length;
      if (first === undefined || stopEnd < end || (stopEnd === end && index < first.start)) {
        first = { stop, start: index };
        end = stopEnd;
      }
    }
    return first;
  }

  /** Length of the longest end of `text` with which some stop string begins. */
  #beginningAtEnd(text: string): number {
    let longest = 0;
    for (const stop of this.#stops) {
      for (let length = Math.min(stop.length - 1, text.length); length > longest; length--) {
        if (text.endsWith(stop.slice(0, length))) longest = length;
      }
    }
    return longest;
  }
}
