/**
 * The graph of a decode step: a rewritten decoder without the ways for prompts. Each layer of that decides by its run's shape how
 * it computes attention (`prompt-attention.ts`); a graph that never sees anything but one new token in each row has
 * nothing to decide, and its new keys and values come out in one tensor. The numbers are the same, bit for bit.
 *
 *     inputs   as the decoder's
 *     outputs  logits, likeliest.*                     as the decoder's
 *              new.rows [ports · B, …, headDim]        what new.N.{key,value} hold, one after the other, in the order of
 *                                                      the inputs `past_key_values.N.*`
 *
 * onnxruntime runs a branch as a graph of its own, with memory of its own, and each output takes some microseconds on its way
 * to JavaScript.
 */
import type { OnnxGraph, OnnxModel, OnnxNode } from '../onnx/onnx-types.ts';
import { GraphEditor, intAttribute } from './graph-editor.ts';
import { NotRewritable } from './not-rewritable.ts';
import { IS_STEP } from './step-attention.ts';

/** The output with the new keys and values of all layers, one after the other. */
export const NEW_ROWS = 'new.rows';

const PAST = /^past_key_values\.(.+)$/;

/**
 * Changes `model`, a rewritten decoder as it is or as onnxruntime has saved it, in place.
 *
 * @returns false when it makes no difference between steps and prompts; it is then as it was
 * @throws NotRewritable when its branches cannot be told apart; the model is then of no use
 */
export function keepSteps(model: OnnxModel): boolean {
  const { graph } = model;
  if (!graph?.node?.some(isStepOrPrompt)) return false;
  graph.node = graph.node.flatMap((node) => (isStepOrPrompt(node) ? stepOf(graph, node) : [node]));
  checkNames(graph);
  const editor = new GraphEditor(model);
  joinNewRows(editor);
  editor.finish();
  return true;
}

function isStepOrPrompt({ opType, input }: OnnxNode): boolean {
  return opType === 'If' && input?.[0] === IS_STEP;
}

/** The nodes of the branch for steps, which make what the whole made. */
function stepOf(graph: OnnxGraph, { attribute = [], output = [] }: OnnxNode): OnnxNode[] {
  const branch = attribute.find(({ name }) => name === 'then_branch')?.g;
  if (branch === undefined) throw new NotRewritable('a branch for steps has no nodes');
  graph.initializer?.push(...(branch.initializer ?? []));
  const names = new Map((branch.output ?? []).map(({ name = '' }, index) => [name, output[index] ?? name]));
  const renamed = (list: readonly string[] = []) => list.map((name) => names.get(name) ?? name);
  return (branch.node ?? []).map((node) => ({
    ...node,
    input: renamed(node.input),
    output: renamed(node.output),
  }));
}

/** In branches of their own, two values may have had the same name. */
function checkNames({ node = [], initializer = [] }: OnnxGraph): void {
  const names = [...node.flatMap(({ output = [] }) => output), ...initializer.map(({ name = '' }) => name)];
  const made = names.filter((name) => name !== '');
  if (new Set(made).size < made.length) throw new NotRewritable('two branches for steps share a name');
}

function joinNewRows(editor: GraphEditor): void {
  const { graph } = editor;
  const news = (graph.input ?? []).flatMap(({ name = '' }) => {
    const suffix = PAST.exec(name)?.[1];
    return suffix === undefined ? [] : [`new.${suffix}`];
  });
  graph.output = (graph.output ?? []).filter(({ name = '' }) => !news.includes(name));
  const rows = news.map((name) => original(editor, name));
  const before = rows.map((name) => beforeReshape(editor, name));
  // With one new token in each row these are the same numbers in the same order, and one operator less.
  const ranks = new Set(before.map((one) => one?.rank));
  const sources = ranks.size > 1 ? rows : before.map((one, index) => one?.name ?? rows[index] ?? '');
  editor.add('Concat', sources, { attributes: [intAttribute('axis', 0)], output: NEW_ROWS });
  graph.output.push({ name: NEW_ROWS, type: { tensorType: { elemType: 1 } } });
}

/** What a value repeats. */
function original(editor: GraphEditor, name: string): string {
  let source = name;
  for (;;) {
    const maker = editor.producer(source);
    if (maker?.opType !== 'Identity') return source;
    source = maker.input?.[0] ?? '';
  }
}

/** What a value is before it was given its shape, where that has a shape of known rank too. */
function beforeReshape(
  editor: GraphEditor,
  name: string,
): { readonly name: string; readonly rank: number } | undefined {
  const source = reshapeOf(editor, name)?.input?.[0] ?? '';
  const shape = reshapeOf(editor, source)?.input?.[1] ?? '';
  const rank = editor.constant(shape)?.dims?.[0];
  return rank === undefined ? undefined : { name: source, rank: Number(rank) };
}

function reshapeOf(editor: GraphEditor, name: string): OnnxNode | undefined {
  const maker = editor.producer(name);
  return maker?.opType === 'Reshape' ? maker : undefined;
}
