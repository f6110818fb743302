/**
 * Memory for the keys and values of prompts until they are rows, and that of one that has become a row, for the next. Fresh pages
 * cost more than what is copied into them: a prompt of 2,000 tokens of the 256M shape that the prefix cache knows took 75 ms to
 * fill, and takes 26 in memory that was used before.
 */
import { bytesPerToken, type KvPort } from './kv-signature.ts';
import { KvSlab } from './kv-slab.ts';

const NO_ROWS = new Int32Array(0);

/** Where a prompt's keys and values lie. */
export interface PromptPlace {
  readonly slabs: readonly KvSlab[];
  /** Of each slab, where other threads use it as well; else empty. */
  readonly shared: readonly SharedArrayBuffer[];
}

export class PromptMemory {
  readonly #ports: readonly KvPort[];
  readonly #isShared: boolean;
  #kept: PromptPlace | undefined;
  #taken = false;

  /** @param isShared whether other threads run parts of prompts */
  constructor(ports: readonly KvPort[], isShared: boolean) {
    this.#ports = ports;
    this.#isShared = isShared;
  }

  /** Of what is kept for the next prompt. */
  get bytes(): number {
    return this.#kept?.slabs.reduce((sum, { bytes }) => sum + bytes, 0) ?? 0;
  }

  /**
   * A slab for each port. Shared ones have so many places, which is not changed later; others none yet, and can be made to have them.
   *
   * @param tokens of one row
   */
  take(tokens: number): PromptPlace {
    this.#taken = true;
    const kept = mostTokens(this.#kept) < tokens ? undefined : this.#kept;
    this.#kept = undefined;
    if (this.#isShared) return sharedPlace(this.#ports, kept?.shared ?? this.#fresh(tokens), tokens);
    if (kept === undefined) return { slabs: this.#ports.map((port) => new KvSlab(port, tokens)), shared: [] };
    for (const slab of kept.slabs) slab.reshape(0, 0, NO_ROWS);
    return kept;
  }

  /** Nobody may use it any more, on no thread. Of two prompts' the larger is kept. */
  give(place: PromptPlace): void {
    if (mostTokens(place) > mostTokens(this.#kept)) this.#kept = place;
  }

  /** To be called now and then: gives back what no prompt has needed since it was called last. */
  settle(): void {
    if (!this.#taken) this.clear();
    this.#taken = false;
  }

  clear(): void {
    this.#kept = undefined;
  }

  #fresh(tokens: number): readonly SharedArrayBuffer[] {
    return this.#ports.map((port) => new SharedArrayBuffer(tokens * bytesPerToken([port])));
  }
}

/** @param memory room for so many tokens of one row at least */
export function sharedPlace(
  ports: readonly KvPort[],
  memory: readonly SharedArrayBuffer[],
  tokens: number,
): PromptPlace {
  return { slabs: ports.map((port, index) => new KvSlab(port, tokens, memory[index])), shared: memory };
}

function mostTokens(place: PromptPlace | undefined): number {
  return place?.slabs[0]?.mostTokens ?? 0;
}
