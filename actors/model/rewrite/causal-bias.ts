/**
 * What GroupQueryAttention masks by itself, as numbers to add to scores: places whose `attention_mask` is 0, later tokens,
 * and, with a sliding window, tokens too far back. The past has free places, so that distances go by a token's true
 * position, which is the number of ones before it in its row:
 *
 *     attention_mask   1 1 1 0 0 | 1 1
 *     position         0 1 2 – – | 3 4        CumSum(attention_mask) − 1
 */
import type { GraphEditor } from './graph-editor.ts';
import type { SharedValues } from './split-attention.ts';

/** Added to the scores of places that do not count; the lowest float32. */
const LOWEST = -3.4028234663852886e38;
const MASK = 'attention_mask';

export class CausalBias {
  readonly #editor: GraphEditor;
  readonly #shared: SharedValues;
  readonly #causal: string;
  readonly #made = new Map<number | undefined, string>();
  #distance: string | undefined;

  constructor(editor: GraphEditor, shared: SharedValues) {
    this.#editor = editor;
    this.#shared = shared;
    this.#causal = this.#laterOrUnused();
  }

  /**
   * Made once for all layers with the same window.
   *
   * @param window tokens that one sees, itself among them; undefined: all before it
   * @returns `[B, 1, 1, S, T + S]`
   */
  of(window?: number): string {
    const known = this.#made.get(window);
    if (known !== undefined) return known;
    const editor = this.#editor;
    const hidden =
      window === undefined ? this.#causal : editor.add('Or', [this.#causal, this.#tooFar(window)]);
    const bias = editor.add('Where', [hidden, editor.float(LOWEST), editor.float(0)]);
    this.#made.set(window, bias);
    return bias;
  }

  /** bool `[B, 1, 1, S, T + S]` */
  #laterOrUnused(): string {
    const editor = this.#editor;
    const { pastLength, newLength } = this.#shared;
    const scalar = editor.int64s([]);
    const asScalar = (one: string) => editor.add('Reshape', [one, scalar]);
    const total = editor.add('Add', [pastLength, newLength]);
    const zero = editor.int64s(0);
    const one = editor.int64s(1);
    const columns = editor.add('Range', [zero, asScalar(total), one]);
    const rows = editor.add('Add', [editor.add('Range', [zero, asScalar(newLength), one]), pastLength]);
    const later = editor.add('Greater', [columns, editor.add('Reshape', [rows, editor.int64s([-1, 1])])]);
    const mask = editor.add('Reshape', [MASK, editor.int64s([0, 1, 1, 1, -1])]);
    return editor.add('Or', [later, editor.add('Equal', [mask, zero])]);
  }

  /** bool `[B, 1, 1, S, T + S]` */
  #tooFar(window: number): string {
    this.#distance ??= this.#distances();
    return this.#editor.add('Greater', [this.#distance, this.#editor.int64s(window - 1)]);
  }

  /** How far each token lies before each new one. int64 `[B, 1, 1, S, T + S]` */
  #distances(): string {
    const editor = this.#editor;
    const { pastLength } = this.#shared;
    // The one that is not taken off is in both sides of the difference.
    const positions = editor.add('CumSum', [MASK, editor.int64s(1)]);
    const end = editor.int64s([Number.MAX_SAFE_INTEGER]);
    const fresh = editor.add('Slice', [positions, pastLength, end, editor.int64s([1])]);
    const queries = editor.add('Reshape', [fresh, editor.int64s([0, 1, 1, -1, 1])]);
    const keys = editor.add('Reshape', [positions, editor.int64s([0, 1, 1, 1, -1])]);
    return editor.add('Sub', [queries, keys]);
  }
}
