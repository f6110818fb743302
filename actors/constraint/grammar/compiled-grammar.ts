/**
 * A constraint when it is compiled: rules over bytes that call each other, as flat tables. Plain data that knows no
 * tokenizer: it is made on a thread that does not decode, crosses to the one that does, and is only looked up there.
 *
 *     rule      has states (the first at `ruleStart`), or repeats another rule
 *     state     edges: byte range → state;  calls: rule → state behind it;  accepting: the rule may end here
 */
export interface CompiledGrammar {
  /** The same for the same constraint: what caches go by. */
  readonly key: string;
  /** Texts of control tokens that the answer may have; the `i`th is read as the byte `0xf8 + i`. */
  readonly controls: readonly string[];
  /** The rule that the answer is. */
  readonly root: number;
  /** One space may come before the answer that is no part of it; not where the answer itself may begin with a space. */
  readonly takesSpace: boolean;
  /** The empty answer belongs to it. */
  readonly acceptsEmpty: boolean;
  /** First state of each rule; -1 for one that repeats. */
  readonly ruleStart: Int32Array;
  /** Rule that is repeated; -1 for one with states. */
  readonly repeated: Int32Array;
  readonly repeatMin: Int32Array;
  /** -1: any number. */
  readonly repeatMax: Int32Array;
  /** A rule comes before all that it can begin with. */
  readonly ruleOrder: Int32Array;
  readonly accepting: Uint8Array;
  /** Edges of state `s`: from `edgeOffset[s]` up to `edgeOffset[s + 1]`. */
  readonly edgeOffset: Int32Array;
  readonly edgeFrom: Uint8Array;
  readonly edgeTo: Uint8Array;
  readonly edgeTarget: Int32Array;
  /** Calls of state `s`, likewise. */
  readonly callOffset: Int32Array;
  readonly callRule: Int32Array;
  readonly callTarget: Int32Array;
  /** Bytes that no rule tells apart share a class. `[256]` */
  readonly byteClass: Uint8Array;
}

/** Bytes of the tables, for caches with a bound. */
export function grammarBytes(grammar: CompiledGrammar): number {
  let bytes = 200;
  for (const table of Object.values(grammar)) {
    if (ArrayBuffer.isView(table)) bytes += table.byteLength;
  }
  return bytes;
}
