/**
 * How many sequences the memory for keys and values can hold. A sequence is counted from its admission with all it
 * may come to, prompt and longest answer, and every row with the capacity of the longest: so a running sequence never
 * finds the memory full, and nothing has to be thrown out and computed again.
 */
import { capacityFor } from './kv-capacity.ts';

export class KvBudget {
  /** Tokens of all rows together, free places included. */
  readonly tokens: number;
  readonly bytesPerToken: number;

  /**
   * @param bytes for the rows; a first row of `leastTokens` always fits
   * @param bytesPerToken of all layers, keys and values
   */
  constructor(bytes: number, bytesPerToken: number, leastTokens = 1) {
    this.bytesPerToken = bytesPerToken;
    this.tokens = Math.max(Math.floor(bytes / bytesPerToken), capacityFor(leastTokens));
  }

  /** The longest that so many sequences, each with its prompt, can be and fit together. */
  longestOf(sequences: number): number {
    const each = Math.floor(this.tokens / sequences);
    let longest = each;
    while (longest > 0 && capacityFor(longest) > each) longest -= 1;
    return longest;
  }

  /** @param lengths what each sequence may come to */
  holds(lengths: readonly number[]): boolean {
    return lengths.length * capacityFor(Math.max(0, ...lengths)) <= this.tokens;
  }
}
