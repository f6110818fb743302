/**
 * Split attention (`split-attention.ts`) for one new token in each row, S = 1: the same numbers with less around them. Nothing is
 * transposed, since the dimension that would move has one place, and the product of one weight with the new token's value is a
 * product of numbers: onnxruntime hands each matrix product to its threads, however small it is.
 *
 *     scores  = Concat(q · pastKᵀ, q · newKᵀ)                   [B, kvHeads, group, 1, T + 1]
 *     context = p[…, :T] · pastV + p[…, T] ∘ newV               [B, kvHeads, group, 1, headDim]
 */
import type { OnnxNode } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute } from './graph-editor.ts';
import {
  capped,
  type GroupQueryContext,
  INPUT,
  projections,
  rotated,
  type SplitGroupQuery,
  scaleOf,
} from './group-query-attention.ts';
import type { AttentionShape, SharedValues } from './split-attention.ts';

const MICROSOFT = 'com.microsoft';

/** A bool: whether this run has one new token in each row. By its name the branches for steps are found (`steps-alone.ts`). */
export const IS_STEP = 'troupe/is_step';

export class StepAttention {
  /** See `IS_STEP`. */
  readonly isStep = IS_STEP;
  readonly #editor: GraphEditor;
  readonly #shape: AttentionShape;
  /** Places of the past, and of the new token. */
  readonly #parts: string;

  constructor(editor: GraphEditor, shape: AttentionShape, { pastLength, newLength }: SharedValues) {
    this.#editor = editor;
    this.#shape = shape;
    const one = editor.int64s([1]);
    editor.add('Reshape', [editor.add('Equal', [newLength, one]), editor.int64s([])], { output: IS_STEP });
    this.#parts = editor.add('Concat', [pastLength, one], { attributes: [intAttribute('axis', 0)] });
  }

  /** Adds the nodes that stand in for one operator; to be called within the branch for steps. */
  stepGroupQuery(node: OnnxNode, context: GroupQueryContext): SplitGroupQuery {
    const editor = this.#editor;
    const { heads, kvHeads, headDim } = this.#shape;
    const [q, k, v] = projections(node, editor, this.#shape);
    const scaled = editor.add('Mul', [
      rotated(node, q, heads, context),
      editor.float(scaleOf(node, headDim)),
    ]);
    const q5 = this.#reshaped(scaled, [0, kvHeads, heads / kvHeads, 1, headDim]);
    const rotatedKey = rotated(node, k, kvHeads, context);
    const [freshKey, freshValue] = [this.#alone(rotatedKey), this.#alone(v)];
    const [pastKey = '', pastValue = ''] = [node.input?.[INPUT.pastKey], node.input?.[INPUT.pastValue]];
    const scores = this.#scores(q5, pastKey, freshKey);
    const biased = editor.add('Add', [capped(node, scores, editor), context.bias]);
    const p = editor.add('Softmax', [biased], { attributes: [intAttribute('axis', 4)] });
    const output = this.#reshaped(this.#context(p, pastValue, freshValue), [0, 1, heads * headDim]);
    const [key, value] = [freshKey, freshValue].map((one) => this.#reshaped(one, [0, kvHeads, 1, headDim]));
    if (key === undefined || value === undefined) throw new TypeError('two in, two out');
    return { output, key, value };
  }

  #scores(q5: string, past: string, fresh: string): string {
    const editor = this.#editor;
    const [onPast = '', onFresh = ''] = [this.#grouped(past), fresh].map((keys) =>
      editor.add('FusedMatMul', [q5, keys], {
        attributes: [intAttribute('transB', 1)],
        domain: MICROSOFT,
      }),
    );
    return editor.add('Concat', [onPast, onFresh], { attributes: [intAttribute('axis', 4)] });
  }

  #context(p: string, past: string, fresh: string): string {
    const editor = this.#editor;
    const [onPast, onFresh] = [`${p}/past`, `${p}/new`];
    editor.insert({
      opType: 'Split',
      name: `troupe/Split_${p}`,
      input: [p, this.#parts],
      output: [onPast, onFresh],
      attribute: [intAttribute('axis', 4)],
    });
    return editor.add('Add', [
      editor.add('MatMul', [onPast, this.#grouped(past)]),
      editor.add('Mul', [onFresh, fresh]),
    ]);
  }

  /** Keys or values with the group dimension between KV heads and tokens. */
  #grouped(past: string): string {
    return this.#reshaped(past, [0, 0, 1, -1, this.#shape.headDim]);
  }

  /** The same of the new token's, `[B, 1, kvHeads · headDim]` as the projections make them. */
  #alone(fresh: string): string {
    const { kvHeads, headDim } = this.#shape;
    return this.#reshaped(fresh, [0, kvHeads, 1, 1, headDim]);
  }

  #reshaped(x: string, dims: readonly number[]): string {
    return this.#editor.add('Reshape', [x, this.#editor.int64s(dims)]);
  }
}
