/**
 * Memory of a prompt that has become a row, for the next prompt. Fresh pages cost more than what is copied into them: a prompt of
 * 2,000 tokens of the 256M shape that the prefix cache knows took 75 ms to fill, and takes 22 in memory that was used before.
 */
import type { KvPort } from './kv-signature.ts';
import { KvSlab } from './kv-slab.ts';

const NO_ROWS = new Int32Array(0);

export class SpareSlabs {
  readonly #ports: readonly KvPort[];
  /** Of one prompt. */
  #kept: readonly KvSlab[] = [];
  #taken = false;

  constructor(ports: readonly KvPort[]) {
    this.#ports = ports;
  }

  get bytes(): number {
    return this.#kept.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /** A slab for each port, without places yet. @param tokens of one row that they can be made to hold */
  take(tokens: number): readonly KvSlab[] {
    this.#taken = true;
    const kept = this.#kept;
    this.#kept = [];
    if (mostTokens(kept) < tokens) return this.#ports.map((port) => new KvSlab(port, tokens));
    for (const slab of kept) slab.reshape(0, 0, NO_ROWS);
    return kept;
  }

  /** They must not be used any more. Of two prompts' the larger are kept. */
  give(slabs: readonly KvSlab[]): void {
    if (mostTokens(slabs) > mostTokens(this.#kept)) this.#kept = slabs;
  }

  /** To be called now and then: gives back what no prompt has needed since it was called last. */
  settle(): void {
    if (!this.#taken) this.clear();
    this.#taken = false;
  }

  clear(): void {
    this.#kept = [];
  }
}

function mostTokens(slabs: readonly KvSlab[]): number {
  return slabs[0]?.mostTokens ?? 0;
}
