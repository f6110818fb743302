/**
 * com.microsoft.GroupQueryAttention, kept for the runs that it is better at: several new tokens of one sequence. Its scores
 * stay in the processor's caches, one head at a time, and copying the past once a run weighs little against that. With one
 * new token in each row it is the other way round, and rows of several sequences with several new tokens each it does not
 * take. So a run decides by its shape, inside the graph: `If(S = 1)` it is a step (`step-attention.ts`), else `If(B = 1)` it goes
 * through the operator, else through split attention.
 *
 * The operator computes all scores of a head, also those that the causal mask hides. A long prompt without a past
 * therefore goes through it in parts of the queries, each with the keys up to its own end.
 */
import type { OnnxNode } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute } from './graph-editor.ts';
import { INPUT, type SplitGroupQuery } from './group-query-attention.ts';
import type { AttentionShape, SharedValues } from './split-attention.ts';

/**
 * A sink that takes no part, being e^(−10³⁰) = 0 of any softmax. onnxruntime 1.30 runs the operator through its tiled
 * (flash) kernel unless something asks for more than that can do, and sinks do. The tiled kernel masks scores one by one,
 * which takes more time than it saves: docs/architecture.md has the figures. The environment variable
 * ORT_GQA_DISABLE_FLASH_ATTENTION would do the same, to every session of the process.
 */
const NO_SINK = -1e30;
/** From this many tokens on parts pay; below it the calls cost what they save (measured, docs/architecture.md). */
const LONG = 384;
const PARTS = 4;
const INT32 = 6;
const INT64 = 7;

/** Where the new rows lie in `present`. */
interface Place {
  readonly from: string;
  readonly to: string;
  /** `to` as the operator takes it, an int32 scalar. */
  readonly total: string;
}

/** Queries of a long prompt that run together, and with them the keys up to `to`. */
interface Part {
  readonly from: string;
  readonly to: string;
  /** `to` less one, and `to`, as the operator takes them: int32, one element. */
  readonly lengths: string;
  readonly total: string;
}

/** Adds the nodes of one way within its branch. */
type Way = () => SplitGroupQuery;

export class PromptAttention {
  readonly #editor: GraphEditor;
  readonly #shared: SharedValues;
  readonly #isStep: string;
  /** Whether a run that is no step has one sequence: a prompt, or a part of one. */
  readonly #isPrompt: string;
  /** Whether it is a whole one, and long. */
  readonly #isLong: string;
  /** By the name of the operator's lengths. */
  readonly #permits = new Map<string, Place>();
  readonly #sinks: string;
  /** Of tokens, in the cache and in what the operator takes. */
  readonly #cacheAxis: string;
  readonly #tokenAxis: string;
  readonly #anyLength: string;

  /** @param isStep a bool: whether the run has one new token in each row */
  constructor(editor: GraphEditor, { heads, headDim }: AttentionShape, shared: SharedValues, isStep: string) {
    this.#editor = editor;
    this.#isStep = isStep;
    this.#shared = shared;
    this.#sinks = editor.floats(NO_SINK, heads);
    this.#cacheAxis = editor.int64s([2]);
    this.#tokenAxis = editor.int64s([1]);
    this.#anyLength = editor.int64s([0, 0, -1, headDim]);
    const one = editor.int64s([1]);
    this.#isPrompt = editor.add('Reshape', [editor.add('Equal', [shared.batch, one]), editor.int64s([])]);
    this.#isLong = this.#both(
      editor.add('Equal', [shared.pastLength, editor.int64s([0])]),
      editor.add('Greater', [shared.newLength, editor.int64s([LONG - 1])]),
    );
  }

  /**
   * Puts all ways in the operator's place.
   *
   * @param split for prompts of several sequences
   * @returns the new keys and values, `[B, kvHeads, S, headDim]`
   */
  join(node: OnnxNode, step: Way, split: Way): { key: string; value: string } {
    const editor = this.#editor;
    const output = node.output?.[0] ?? '';
    const [key, value] = [`${output}/new_key`, `${output}/new_value`] as const;
    const place = this.#place(node.input?.[INPUT.lengths] ?? '');
    editor.remove(node);
    const prompt = () => {
      const outputs = [output, key, value].map((name) => `${name}/prompt`);
      editor.branch(
        this.#isLong,
        () => this.#inParts(node),
        () => this.#whole(node, place),
        outputs,
      );
      return outputs;
    };
    const several = () => {
      const outputs = [output, key, value].map((name) => `${name}/several`);
      editor.branch(this.#isPrompt, prompt, () => resultsOf(split()), outputs);
      return outputs;
    };
    editor.branch(this.#isStep, () => resultsOf(step()), several, [output, key, value]);
    return { key, value };
  }

  #whole(node: OnnxNode, place: Place): string[] {
    const input = node.input ?? [];
    // Exports take the mask's width, in which places of the past that no token holds count: with those, a prompt at the
    // end of the context would have more places than the rotary table has positions, which the operator refuses.
    const made = this.#attend(node, 'whole', input, [input[INPUT.lengths] ?? '', place.total]);
    const rows = (present: string) =>
      this.#editor.add('Slice', [present, place.from, place.to, this.#cacheAxis]);
    return [made.output, rows(made.key), rows(made.value)];
  }

  #inParts(node: OnnxNode): string[] {
    const editor = this.#editor;
    const input = node.input ?? [];
    let past: readonly [string, string] = [input[INPUT.pastKey] ?? '', input[INPUT.pastValue] ?? ''];
    const outputs = this.#evenParts().map(({ from, to, lengths, total }, index) => {
      const own = [...input];
      for (const which of [INPUT.q, INPUT.k, INPUT.v, INPUT.positions]) {
        const name = own[which] ?? '';
        if (name !== '') own[which] = editor.add('Slice', [name, from, to, this.#tokenAxis]);
      }
      [own[INPUT.pastKey], own[INPUT.pastValue]] = past;
      const made = this.#attend(node, `part${index}`, own, [lengths, total]);
      past = [this.#ofUnknownLength(made.key), this.#ofUnknownLength(made.value)];
      return made.output;
    });
    return [editor.add('Concat', outputs, { attributes: [intAttribute('axis', 1)] }), ...past];
  }

  /** One call of the operator. @returns what it makes; keys and values are those of the past too */
  #attend(
    node: OnnxNode,
    which: string,
    given: readonly (string | undefined)[],
    [lengths, total]: readonly [string, string],
  ): SplitGroupQuery {
    const input = Array.from({ length: INPUT.sinks }, (_, index) => given[index] ?? '');
    input[INPUT.lengths] = lengths;
    input[INPUT.totalLength] = total;
    input[INPUT.sinks] = this.#sinks;
    const name = `${node.output?.[0]}/${which}`;
    const [output, key, value] = [name, `${name}_key`, `${name}_value`] as const;
    this.#editor.insert({ ...node, name, input, output: [output, key, value] });
    return { output, key, value };
  }

  /**
   * The same keys or values. onnxruntime takes `present` for as long as the past that came in, so that it would put what a
   * part makes into the memory of one before it, and find it too small.
   */
  #ofUnknownLength(present: string): string {
    return this.#editor.add('Reshape', [present, this.#anyLength]);
  }

  #both(one: string, other: string): string {
    const editor = this.#editor;
    return editor.add('Reshape', [editor.add('And', [one, other]), editor.int64s([])]);
  }

  /** To be called within the branch that uses them: elsewhere every decode step would compute them too. */
  #evenParts(): Part[] {
    const editor = this.#editor;
    const { newLength } = this.#shared;
    const one = editor.int64s([1]);
    const endOf = (part: number): string => {
      if (part === 0) return editor.int64s([0]);
      if (part === PARTS) return newLength;
      const times = editor.add('Mul', [newLength, editor.int64s([part])]);
      return editor.add('Div', [times, editor.int64s([PARTS])]);
    };
    const ends = Array.from({ length: PARTS + 1 }, (_, part) => endOf(part));
    return ends.slice(1).map((to, index) => {
      const lengths = this.#int32(editor.add('Sub', [to, one]));
      return { from: ends[index] ?? '', to, lengths, total: this.#int32(to) };
    });
  }

  /** The operator puts the new rows right behind the used part of the past; its lengths are those of both, less one. */
  #place(lengths: string): Place {
    const known = this.#permits.get(lengths);
    if (known !== undefined) return known;
    const editor = this.#editor;
    const cast = editor.add('Cast', [lengths], { attributes: [intAttribute('to', INT64)] });
    const last = editor.add('Reshape', [cast, editor.int64s([-1])]);
    const to = editor.add('Add', [last, editor.int64s([1])]);
    const from = editor.add('Sub', [to, this.#shared.newLength]);
    const total = this.#int32(editor.add('Gather', [to, editor.int64s(0)]));
    const place = { from, to, total };
    this.#permits.set(lengths, place);
    return place;
  }

  #int32(value: string): string {
    return this.#editor.add('Cast', [value], { attributes: [intAttribute('to', INT32)] });
  }
}

function resultsOf({ output, key, value }: SplitGroupQuery): string[] {
  return [output, key, value];
}
