/**
 * Attention over a past and new tokens that are never joined: scores and context are computed for each part and only
 * the scores, which are small, are concatenated. The past is read where it lies, once, and never copied.
 *
 *     scores  = Concat(q · pastKᵀ, q · newKᵀ)                   [B, kvHeads, group, S, T + S]
 *     context = p[…, :T] · pastV + p[…, T:] · newV              [B, kvHeads, group, S, headDim]
 *
 * Query heads that share a KV head are a dimension of their own (`group`), over which the KV head is broadcast:
 * nothing is repeated in memory, and with one new token each product is a matrix–vector product, which onnxruntime
 * runs without packing the cache first (the same as one matrix of `group` rows takes 1.7 times as long).
 */
import { type GraphEditor, intAttribute } from './graph-editor.ts';

const MICROSOFT = 'com.microsoft';

export interface AttentionShape {
  readonly heads: number;
  readonly kvHeads: number;
  readonly headDim: number;
}

/** Values that all layers share. */
export interface SharedValues {
  /** One element: B, the rows. */
  readonly batch: string;
  /** One element: T, the tokens that the past has room for. */
  readonly pastLength: string;
  /** One element: S, the new tokens. */
  readonly newLength: string;
}

/** Keys or values of one layer, `[B, kvHeads, length, headDim]` each. */
export interface SplitTensor {
  readonly past: string;
  readonly fresh: string;
}

export class SplitAttention {
  readonly #editor: GraphEditor;
  readonly #shared: SharedValues;
  /** Target shape that puts the group dimension between KV heads and tokens. */
  readonly #broadcast: string;
  readonly #zero: string;
  readonly #end: string;
  readonly #lastAxis: string;

  constructor(editor: GraphEditor, shape: AttentionShape, shared: SharedValues) {
    this.#editor = editor;
    this.#shared = shared;
    this.#broadcast = editor.int64s([0, 0, 1, -1, shape.headDim]);
    this.#zero = editor.int64s([0]);
    this.#end = editor.int64s([Number.MAX_SAFE_INTEGER]);
    this.#lastAxis = editor.int64s([4]);
  }

  /** @param q `[B, kvHeads, group, S, headDim]`. @returns `[B, kvHeads, group, S, T + S]` */
  scores(q: string, keys: SplitTensor): string {
    const [past, fresh] = [keys.past, keys.fresh].map((k) =>
      this.#editor.add('FusedMatMul', [q, this.#grouped(k)], {
        attributes: [intAttribute('transB', 1)],
        domain: MICROSOFT,
      }),
    );
    return this.#editor.add('Concat', [past ?? '', fresh ?? ''], { attributes: [intAttribute('axis', 4)] });
  }

  /** @param p `[B, kvHeads, group, S, T + S]`. @returns `[B, kvHeads, group, S, headDim]` */
  context(p: string, values: SplitTensor): string {
    const editor = this.#editor;
    const { pastLength } = this.#shared;
    const onPast = editor.add('Slice', [p, this.#zero, pastLength, this.#lastAxis]);
    const onFresh = editor.add('Slice', [p, pastLength, this.#end, this.#lastAxis]);
    return editor.add('Add', [
      editor.add('MatMul', [onPast, this.#grouped(values.past)]),
      editor.add('MatMul', [onFresh, this.#grouped(values.fresh)]),
    ]);
  }

  #grouped(kv: string): string {
    return this.#editor.add('Reshape', [kv, this.#broadcast]);
  }
}
