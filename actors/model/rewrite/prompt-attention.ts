/**
 * com.microsoft.GroupQueryAttention, kept for the runs that it is better at: several new tokens of one sequence. There
 * it never makes the scores as a whole and leaves out what the causal mask hides; copying the past once a run weighs
 * little against that. With one new token in each row it is the other way round, and rows of several sequences with
 * several new tokens each it does not take. So a run decides by its shape, inside the graph: `If(B = 1 and S > 1)`.
 */
import type { OnnxNode } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute } from './graph-editor.ts';
import { INPUT, type SplitGroupQuery } from './group-query-attention.ts';
import type { SharedValues } from './split-attention.ts';

const INT32 = 6;
const INT64 = 7;

/** Where the new rows lie in `present`. */
interface Place {
  readonly from: string;
  readonly to: string;
  /** `to` as the operator takes it, an int32 scalar. */
  readonly total: string;
}

export class PromptAttention {
  readonly #editor: GraphEditor;
  readonly #shared: SharedValues;
  /** Whether this run is a prompt, or a part of one. */
  readonly #isPrompt: string;
  /** By the name of the operator's lengths. */
  readonly #places = new Map<string, Place>();
  readonly #axis: string;

  constructor(editor: GraphEditor, shared: SharedValues) {
    this.#editor = editor;
    this.#shared = shared;
    this.#axis = editor.int64s([2]);
    this.#isPrompt = this.#condition();
  }

  /** Puts both ways in the operator's place. @returns the new keys and values, `[B, kvHeads, S, headDim]` */
  join(node: OnnxNode, split: () => SplitGroupQuery): { key: string; value: string } {
    const editor = this.#editor;
    const output = node.output?.[0] ?? '';
    const [key, value] = [`${output}/new_key`, `${output}/new_value`] as const;
    const place = this.#place(node.input?.[INPUT.lengths] ?? '');
    editor.remove(node);
    const whole = () => {
      const outputs = [`${output}/prompt`, `${output}/present_key`, `${output}/present_value`] as const;
      // Exports take the mask's width, in which places of the past that no token holds count: with those, a prompt at the
      // end of the context would have more places than the rotary table has positions, which the operator refuses.
      const input = [...(node.input ?? [])];
      input[INPUT.totalLength] = place.total;
      editor.insert({ ...node, input, output: [...outputs] });
      const rows = (present: string) => editor.add('Slice', [present, place.from, place.to, this.#axis]);
      return [outputs[0], rows(outputs[1]), rows(outputs[2])];
    };
    const apart = () => {
      const made = split();
      return [made.output, made.key, made.value];
    };
    editor.branch(this.#isPrompt, whole, apart, [output, key, value]);
    return { key, value };
  }

  #condition(): string {
    const editor = this.#editor;
    const scalar = editor.int64s([]);
    const one = editor.int64s([1]);
    const several = editor.add('Greater', [this.#shared.newLength, one]);
    const alone = editor.add('Equal', [this.#shared.batch, one]);
    return editor.add('Reshape', [editor.add('And', [several, alone]), scalar]);
  }

  /** The operator puts the new rows right behind the used part of the past; its lengths are those of both, less one. */
  #place(lengths: string): Place {
    const known = this.#places.get(lengths);
    if (known !== undefined) return known;
    const editor = this.#editor;
    const cast = editor.add('Cast', [lengths], { attributes: [intAttribute('to', INT64)] });
    const last = editor.add('Reshape', [cast, editor.int64s([-1])]);
    const to = editor.add('Add', [last, editor.int64s([1])]);
    const from = editor.add('Sub', [to, this.#shared.newLength]);
    const first = editor.add('Gather', [to, editor.int64s(0)]);
    const total = editor.add('Cast', [first], { attributes: [intAttribute('to', INT32)] });
    const place = { from, to, total };
    this.#places.set(lengths, place);
    return place;
  }
}
