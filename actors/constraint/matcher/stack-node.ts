/**
 * Where an answer is in a grammar. A `Frame` is a rule that has been called and the places that it comes back to: several
 * where several callers wait for the same rule at the same byte, so that choices do not multiply (a graph-structured
 * stack). An `Item` is a state of a rule in a frame, a `Configuration` all items that the bytes so far allow.
 */

/** What a frame comes back to when its rule ends. */
export interface Return {
  /** State behind the call; `ROUND` where the caller repeats its callee. */
  readonly state: number;
  readonly frame: Frame;
}
export interface Frame {
  readonly id: number;
  readonly rule: number;
  /** Empty: the frame below all others; when it ends, the answer may. */
  readonly returns: readonly Return[];
  /** Of a repetition: rounds that still have to come, and may come (`Infinity`). */
  readonly need: number;
  readonly room: number;
}

export interface Item {
  readonly state: number;
  readonly frame: Frame;
}

export interface Configuration {
  /** Items that a byte can go on from. */
  readonly items: readonly Item[];
  /** The lowest frame may end here. */
  readonly ends: boolean;
  /** What follows for each class of bytes; `undefined`: not looked up yet. */
  readonly next: (Configuration | null | undefined)[];
  /** Tokens that may come next, once they are known. */
  mask: Uint32Array | undefined;
}

/** Stands for a state where a repetition has finished one round. */
export const ROUND = -1;
