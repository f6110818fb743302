/**
 * Which tokens may come next, for every place in a grammar. A place is told apart only as far down as one rule: what the
 * tokens of a string's inside are does not depend on where the string stands. That part is walked once and kept; only
 * tokens that leave the rule (`",` leaves a string) are followed further, where the rule comes back to.
 */
import type { CompiledGrammar } from '../grammar/compiled-grammar.ts';
import type { Configuration, Frame, Item } from './stack-node.ts';
import type { Stepper } from './stepper.ts';
import { stepsExceeded } from './steps-exceeded.ts';
import type { TokenTrie } from './token-trie.ts';

/** Work of one mask at most: some 50 ms. */
const MASK_WORK = 200_000;

/** What may come next as seen from one rule, whoever has called it. */
interface LocalMask {
  readonly bits: Uint32Array;
  /** Nodes of the trie at which the rule may have ended. */
  readonly exits: Int32Array;
}

/** A control token and the byte that a grammar reads it as. */
export interface GrammarControl {
  readonly token: number;
  readonly byte: number;
}

export class TokenMasks {
  readonly #trie: TokenTrie;
  readonly #stepper: Stepper;
  readonly #words: number;
  readonly #eosTokenIds: readonly number[];
  readonly #controls: readonly GrammarControl[];
  /** Rules that are looked through: repetitions, and what they repeat. */
  readonly #transparent: Uint8Array;
  readonly #local = new Map<string, LocalMask>();
  readonly #behind = new Map<Frame, Configuration>();
  readonly #stack: Configuration[] = [];
  #masks = 0;

  constructor(
    grammar: CompiledGrammar,
    stepper: Stepper,
    vocabulary: { readonly trie: TokenTrie; readonly size: number; readonly eosTokenIds: readonly number[] },
    controls: readonly GrammarControl[],
  ) {
    this.#controls = controls;
    this.#trie = vocabulary.trie;
    this.#stepper = stepper;
    this.#words = (vocabulary.size + 31) >> 5;
    this.#eosTokenIds = vocabulary.eosTokenIds;
    this.#transparent = new Uint8Array(grammar.repeated.length);
    for (const [rule, body] of grammar.repeated.entries()) {
      if (body < 0) continue;
      this.#transparent[rule] = 1;
      this.#transparent[body] = 1;
    }
  }

  /** Bytes of the masks held. */
  get bytes(): number {
    return (this.#masks + this.#local.size) * this.#words * 4;
  }

  forget(): void {
    this.#local.clear();
    this.#behind.clear();
    this.#masks = 0;
  }

  /** @throws InputError CONSTRAINT_TOO_LARGE when too much has to be looked at */
  of(configuration: Configuration): Uint32Array {
    if (configuration.mask !== undefined) return configuration.mask;
    const bits = new Uint32Array(this.#words);
    const limit = this.#stepper.work + MASK_WORK;
    const whole: Item[] = [];
    for (const item of configuration.items) {
      const cut = this.#cut(item.frame);
      if (cut === undefined) whole.push(item);
      else this.#add(bits, item.state, cut, limit);
    }
    if (whole.length > 0) this.#walk(bits, 0, this.#stepper.closed(whole), limit);
    for (const { token, byte } of this.#controls) {
      if (this.#stepper.step(configuration, byte) !== null) setBit(bits, token);
    }
    if (configuration.ends) for (const id of this.#eosTokenIds) setBit(bits, id);
    configuration.mask = bits;
    this.#masks++;
    return bits;
  }

  #add(bits: Uint32Array, state: number, { frame, context }: Cut, limit: number): void {
    const key = `${state}:${frame.id}`;
    let local = this.#local.get(key);
    if (local === undefined) {
      const own = new Uint32Array(this.#words);
      const exits: number[] = [];
      this.#walk(own, 0, this.#stepper.closed([{ state, frame }]), limit, exits);
      local = { bits: own, exits: Int32Array.from(exits) };
      this.#local.set(key, local);
    }
    for (let i = 0; i < bits.length; i++) bits[i] = (bits[i] ?? 0) | (local.bits[i] ?? 0);
    if (local.exits.length === 0) return;
    let behind = this.#behind.get(context);
    if (behind === undefined) {
      behind = this.#stepper.behind(context);
      this.#behind.set(context, behind);
    }
    if (behind.items.length === 0) return;
    for (const node of local.exits) this.#walk(bits, node, behind, limit);
  }

  /** Sets the tokens below `root` that `from` allows; `exits` gathers where the lowest rule may have ended. */
  #walk(bits: Uint32Array, root: number, from: Configuration, limit: number, exits?: number[]): void {
    const { byte, depth, end, tokenOffset, tokens } = this.#trie;
    const stepper = this.#stepper;
    const stack = this.#stack;
    const last = end[root] ?? 0;
    const base = (depth[root] ?? 0) + 1;
    stack[0] = from;
    for (let node = root + 1; node < last; ) {
      const level = (depth[node] ?? 0) - base;
      const before = stack[level];
      const after = before === undefined ? null : stepper.step(before, byte[node] ?? 0);
      if (after === null) {
        node = end[node] ?? last;
        continue;
      }
      if (stepper.work > limit) throw stepsExceeded();
      const stop = tokenOffset[node + 1] ?? 0;
      for (let i = tokenOffset[node] ?? 0; i < stop; i++) setBit(bits, tokens[i] ?? 0);
      const after_ = end[node] ?? last;
      if (exits !== undefined && after.ends && after_ > node + 1) exits.push(node);
      stack[level + 1] = after;
      node++;
    }
  }

  /** The frame as far down as one rule, and that rule's real frame. `undefined`: it comes back to several places. */
  #cut(frame: Frame): Cut | undefined {
    if (this.#transparent[frame.rule] === 0) {
      return { frame: this.#stepper.bottom(frame.rule), context: frame };
    }
    const [only] = frame.returns;
    if (only === undefined || frame.returns.length > 1) return undefined;
    const below = this.#cut(only.frame);
    if (below === undefined) return undefined;
    // A token cannot tell more rounds than it has bytes.
    const enough = this.#trie.longest + 1;
    const returns = [{ state: only.state, frame: below.frame }];
    const need = Math.min(frame.need, enough);
    const room = Math.min(frame.room, enough);
    return { frame: this.#stepper.frame(frame.rule, returns, need, room), context: below.context };
  }
}

interface Cut {
  readonly frame: Frame;
  readonly context: Frame;
}

function setBit(bits: Uint32Array, id: number): void {
  bits[id >> 5] = (bits[id >> 5] ?? 0) | (1 << (id & 31));
}
