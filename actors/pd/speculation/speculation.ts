/**
 * Speculative decoding without a second model: n-grams guess how an answer goes on, and one run of the model says how far
 * they were right. Nothing here changes what is answered. Tokens are chosen one after the other from the model's own
 * distribution, with the answer's own random numbers, as if each had been run by itself; a drafted token stays while it is
 * the one that was chosen. That is rejection sampling (Leviathan et al. 2023) for a draft without a distribution of its own:
 * it is taken with the probability that the model gives it, and what stands in its place otherwise is drawn from the rest.
 */
import type { Choice } from '../requests/choice.ts';
import type { Sequence } from '../requests/sequence.ts';
import { Calibration } from './calibration.ts';
import { type Draft, Drafter } from './drafter.ts';
import { NgramTable, NgramTail, ORDERS } from './ngram-table.ts';
import { type Costs, RunCosts } from './run-costs.ts';
import { couldPay, worthRunning } from './worth.ts';

export interface SpeculationParts {
  /** Most tokens that are drafted for one run; ≥ 1. */
  readonly mostTokens: number;
  /** Whether answers learn from earlier ones. */
  readonly shares: boolean;
  /** Says nothing of what follows. */
  readonly imageTokenId: number;
  /** Default: what is measured. */
  readonly costs?: Costs | undefined;
}

/** Places for n-grams of all answers, 1.2 MB. */
const SHARED_BITS = 17;
/** For those of one prompt and its answers, from 9 KB to 600 KB. */
const OWN_BITS = { least: 10, most: 16 };

interface Own {
  readonly table: NgramTable;
  readonly tail: NgramTail;
}

export class Speculation {
  readonly costs: Costs;
  readonly #parts: SpeculationParts;
  readonly #calibration = new Calibration();
  readonly #shared: NgramTable | undefined;
  readonly #owns = new WeakMap<Sequence, Own>();
  readonly #drafters = new WeakMap<Choice, Drafter>();

  constructor(parts: SpeculationParts) {
    this.#parts = parts;
    this.costs = parts.costs ?? new RunCosts();
    this.#shared = parts.shares ? new NgramTable(SHARED_BITS) : undefined;
  }

  /** An answer went on with its last token. */
  took(choice: Choice): void {
    this.#drafterOf(choice).observe(choice.lastToken);
  }

  /**
   * What is worth running at once of an answer's last token and what may follow it.
   *
   * @param rows of the batch
   * @param most tokens
   */
  draft(choice: Choice, rows: number, most: number): Draft | undefined {
    // The last token that an answer may have is not run, so that nothing is run that there is no memory for.
    const room = Math.min(most, this.#parts.mostTokens + choice.forced.length, choice.left - 1);
    if (room < 1 || !couldPay(room, rows, this.costs)) return undefined;
    const draft = this.#drafterOf(choice).draft(choice.forced, room);
    const count = worthRunning(draft.chances, rows, this.costs);
    // What has no alternative alone needs nobody to look at it: it is run ahead.
    if (count <= draft.forced) return undefined;
    return { ...draft, tokens: draft.tokens.slice(0, count), chances: draft.chances.slice(0, count) };
  }

  /** Forgets earlier answers; returns the bytes freed. */
  clear(): number {
    const bytes = this.#shared?.bytes ?? 0;
    this.#shared?.clear();
    return bytes;
  }

  #drafterOf(choice: Choice): Drafter {
    const known = this.#drafters.get(choice);
    if (known !== undefined) return known;
    const { table, tail } = this.#ownOf(choice.sequence);
    const drafter = new Drafter({
      own: table,
      shared: this.#shared,
      calibration: this.#calibration,
      drawn: choice.draws,
      tail,
    });
    this.#drafters.set(choice, drafter);
    return drafter;
  }

  #ownOf(sequence: Sequence): Own {
    const known = this.#owns.get(sequence);
    if (known !== undefined) return known;
    const bits = Math.ceil(Math.log2(Math.max(1, sequence.longest * ORDERS.length)));
    const table = new NgramTable(Math.min(OWN_BITS.most, Math.max(OWN_BITS.least, bits)));
    const tail = new NgramTail();
    for (const id of sequence.promptIds) {
      if (id === this.#parts.imageTokenId) {
        tail.clear();
        continue;
      }
      for (const order of ORDERS) {
        const hash = tail.hash(order);
        if (hash !== undefined) table.learn(hash, id);
      }
      tail.push(id);
    }
    const own = { table, tail };
    this.#owns.set(sequence, own);
    return own;
  }
}
