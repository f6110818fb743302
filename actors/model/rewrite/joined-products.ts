/**
 * Products of the same numbers with different weights, as one product whose result is cut apart: query, key and value; gate
 * and up.
 *
 *     x · Wq, x · Wk, x · Wv   →   Split(x · Concat(Wq, Wk, Wv))
 *
 * Each number of the result is made as before, from one row of x and one column of weights: only how many columns a call
 * has is changed. A decode step of one row has so little to do in each product that waking the other threads, and quantizing x
 * again, is much of what it takes. onnxruntime joins the weights, which are constants, when it loads or packs the graph.
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
  /** Whether it may be one number for all columns, which then is written out for each. */
  readonly spread?: boolean;
}

/** What inputs are, as far as they are constants. */
type Constants = readonly (Pick<OnnxTensor, 'dims' | 'dataType'> | undefined)[];

type Users = ReadonlyMap<string, readonly OnnxNode[]>;

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
    join(editor, group, users);
    joined += group.length;
  }
  return joined;
}

function join(editor: GraphEditor, group: readonly Product[], users: Users): void {
  const [first] = group;
  if (first === undefined) return;
  const input = [...(first.node.input ?? [])];
  for (const { index, axis, spread } of first.columns) {
    const parts = group.map(({ node, width }) => {
      const name = node.input?.[index] ?? '';
      return spread ? editor.add('Expand', [name, editor.int64s([width])]) : name;
    });
    input[index] = editor.add('Concat', parts, { attributes: [intAttribute('axis', axis)] });
  }
  const width = group.reduce((sum, one) => sum + one.width, 0);
  const attributes = (first.node.attribute ?? []).map((one) =>
    one.name === 'N' ? intAttribute('N', width) : one,
  );
  for (const { node } of group) editor.remove(node);
  const { opType = '', domain = '' } = first.node;
  let result = editor.add(opType, input, { attributes, ...(domain === '' ? {} : { domain }) });
  let ends = group.map(({ node }) => node);
  const scaled = scalings(editor, ends, users);
  if (scaled !== undefined) {
    for (const node of scaled.nodes) editor.remove(node);
    result = editor.add('Mul', [result, scaled.factor]);
    ends = scaled.nodes;
  }
  editor.insert({
    opType: 'Split',
    name: `troupe/Split_${result}`,
    input: [result, editor.int64s(group.map((one) => one.width))],
    output: ends.map((node) => node.output?.[0] ?? ''),
    attribute: [intAttribute('axis', -1)],
  });
}

/** The products that each result is multiplied in by the same number a row, when that is all that becomes of it. */
function scalings(
  editor: GraphEditor,
  products: readonly OnnxNode[],
  users: Users,
): { nodes: OnnxNode[]; factor: string } | undefined {
  const factors = new Set<string>();
  const nodes: OnnxNode[] = [];
  const handedOver = new Set((editor.graph.output ?? []).map(({ name }) => name));
  for (const product of products) {
    const result = product.output?.[0] ?? '';
    if (product.opType !== 'MatMulIntegerToFloat' || handedOver.has(result)) return undefined;
    const [user, ...others] = users.get(result) ?? [];
    if (user?.opType !== 'Mul' || others.length > 0) return undefined;
    nodes.push(user);
    factors.add(user.input?.find((name) => name !== result) ?? '');
  }
  const [factor, ...different] = factors;
  return factor === undefined || different.length > 0 ? undefined : { nodes, factor };
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
  if (opType === 'MatMulIntegerToFloat') return byteProduct(node, constants);
  return undefined;
}

/**
 * com.microsoft.MatMulIntegerToFloat: bytes, weights `[K, N]`, scale of the bytes, of the weights, and both zero points. Of
 * the weights they are one number for all columns, or one for each.
 */
function byteProduct(node: OnnxNode, constants: Constants): Product | undefined {
  const dims = sizesOf(constants[1]);
  const spread = [3, 5].filter((index) => (node.input?.[index] ?? '') !== '');
  const known = spread.every((index) => constants[index] && sizesOf(constants[index]).length < 2);
  if (dims.length !== 2 || !known || (node.input ?? []).length > 6) return undefined;
  const columns = [{ index: 1, axis: 1 }, ...spread.map((index) => ({ index, axis: 0, spread: true }))];
  return { node, width: dims[1] ?? 0, columns, kind: kindOf(node, [1, ...spread], constants, false) };
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
  ranks = true,
): string {
  const inputs = input.map((name, index) => {
    if (!columns.includes(index)) return name;
    const tensor = constants[index];
    return [tensor?.dataType, ...(ranks ? [sizesOf(tensor).length] : [])];
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
