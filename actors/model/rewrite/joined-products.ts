/**
 * Products of the same numbers with different weights, as one product whose result is cut apart: query, key and value; gate
 * and up.
 *
 *     x · Wq, x · Wk, x · Wv   →   Split(x · Concat(Wq, Wk, Wv))
 *
 * Each number of the result is made as before, from one row of x and one column of weights: only how many columns a call
 * has is changed. A decode step of one row has so little to do in each product that waking the other threads, and quantizing x
 * again, is much of what it takes. onnxruntime joins the weights, which are constants, when it loads or packs the graph.
 *
 * Products of bytes stay alone: a step gained nothing that could be seen, and in prompts, where they are the fastest products,
 * cutting the result apart weighed 5 %.
 */
import { ATTRIBUTE_TYPE, type OnnxAttribute, type OnnxNode, type OnnxTensor } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute } from './graph-editor.ts';

/**
 * Kernels take columns by so many, or fewer. What is left over at a matrix's end may be rounded otherwise, so that only
 * matrices without such a rest come out the same when others follow them.
 */
const COLUMNS_AT_ONCE = 16;

/** From here on Split takes its sizes as an input. */
const SPLIT_13 = 13;

/** What is to know of a product to join it with others. */
interface Product {
  readonly node: OnnxNode;
  /** Products with equal ones can be joined. */
  readonly kind: string;
  /** Columns of its weights: the width of its result. */
  readonly width: number;
  /** Inputs that have something for each column, by position. */
  readonly columns: readonly ColumnInput[];
}

interface ColumnInput {
  readonly index: number;
  /** Along which the columns lie. */
  readonly axis: number;
}

/** What inputs are, as far as they are constants. */
type Constants = readonly (Pick<OnnxTensor, 'dims' | 'dataType'> | undefined)[];

/** @returns how many products have become parts of others */
export function joinProducts(editor: GraphEditor): number {
  if (editor.opset < SPLIT_13) return 0;
  const users = editor.allConsumers();
  const groups = new Map<string, Product[]>();
  for (const node of editor.graph.node ?? []) {
    const product = productOf(editor, node);
    if (product === undefined || product.width % COLUMNS_AT_ONCE !== 0) continue;
    // Weights that something else reads too would be in memory twice.
    if (users.get(node.input?.[1] ?? '')?.length !== 1) continue;
    const group = groups.get(product.kind);
    if (group === undefined) groups.set(product.kind, [product]);
    else group.push(product);
  }
  let joined = 0;
  for (const group of groups.values()) {
    if (group.length < 2) continue;
    join(editor, group);
    joined += group.length;
  }
  return joined;
}

function join(editor: GraphEditor, group: readonly Product[]): void {
  const [first] = group;
  if (first === undefined) return;
  const input = [...(first.node.input ?? [])];
  for (const { index, axis } of first.columns) {
    const parts = group.map(({ node }) => node.input?.[index] ?? '');
    input[index] = editor.add('Concat', parts, { attributes: [intAttribute('axis', axis)] });
  }
  const width = group.reduce((sum, one) => sum + one.width, 0);
  const attributes = (first.node.attribute ?? []).map((one) =>
    one.name === 'N' ? intAttribute('N', width) : one,
  );
  for (const { node } of group) editor.remove(node);
  const { opType = '', domain = '' } = first.node;
  const result = editor.add(opType, input, { attributes, ...(domain === '' ? {} : { domain }) });
  editor.insert({
    opType: 'Split',
    name: `troupe/Split_${result}`,
    input: [result, editor.int64s(group.map((one) => one.width))],
    output: group.map(({ node }) => node.output?.[0] ?? ''),
    attribute: [intAttribute('axis', -1)],
  });
}

function productOf(editor: GraphEditor, node: OnnxNode): Product | undefined {
  const { input = [], opType = '' } = node;
  const constants = input.map((name) => constantOf(editor, name));
  if (opType === 'MatMul') {
    const dims = sizesOf(constants[1]);
    if (constants[0] !== undefined || dims.length !== 2) return undefined;
    return {
      node,
      width: dims[1] ?? 0,
      columns: [{ index: 1, axis: 1 }],
      kind: kindOf(node, [1], constants),
    };
  }
  if (opType === 'MatMulNBits') return nBitProduct(node, constants);
  return undefined;
}

/** com.microsoft.MatMulNBits: activations, weights `[N, …]`, scales, zero points, order of rows, bias `[N]`. */
function nBitProduct(node: OnnxNode, constants: Constants): Product | undefined {
  const { input = [] } = node;
  const indices = [1, 2, 3, 5].filter((index) => (input[index] ?? '') !== '');
  if ((input[4] ?? '') !== '' || constants[0] !== undefined) return undefined;
  if (indices.some((index) => constants[index] === undefined)) return undefined;
  const width = Number(node.attribute?.find(({ name }) => name === 'N')?.i ?? 0);
  // onnxruntime refuses it: not to be made right by what stands beside it.
  if (sizesOf(constants[1])[0] !== width) return undefined;
  const columns = indices.map((index) => ({ index, axis: 0 }));
  return { node, width, columns, kind: kindOf(node, indices, constants) };
}

/** A constant, or one that is kept in another type: only what it is, not what is in it. */
function constantOf(editor: GraphEditor, name: string): Pick<OnnxTensor, 'dims' | 'dataType'> | undefined {
  const known = editor.constant(name);
  const node = editor.producer(name);
  if (known !== undefined || node?.opType !== 'Cast') return known;
  const { dims } = editor.constant(node.input?.[0] ?? '') ?? {};
  const dataType = Number(node.attribute?.find((one) => one.name === 'to')?.i);
  return dims && { dims, dataType };
}

/** Everything but the number of columns. */
function kindOf(
  { opType, domain, input = [], attribute = [] }: OnnxNode,
  columns: readonly number[],
  constants: Constants,
): string {
  const inputs = input.map((name, index) => {
    if (!columns.includes(index)) return name;
    const tensor = constants[index];
    return [tensor?.dataType, sizesOf(tensor).length];
  });
  const attributes = attribute
    .filter(({ name }) => name !== 'N')
    .map((one) => [one.name, contentOf(one)])
    .sort();
  return JSON.stringify([opType, domain, inputs, attributes]);
}

function contentOf({ type, i, f, s }: OnnxAttribute): string {
  if (type === ATTRIBUTE_TYPE.int) return String(i);
  if (type === ATTRIBUTE_TYPE.float) return String(f);
  return String(s);
}

function sizesOf(tensor: Constants[number]): number[] {
  return (tensor?.dims ?? []).map(Number);
}
