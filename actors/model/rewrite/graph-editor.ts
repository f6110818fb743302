/**
 * Changes to an ONNX graph: finding nodes by what they make and use, adding nodes, and at the end dropping what no
 * output needs and putting the rest in order. The graph is changed in place.
 */
import {
  ATTRIBUTE_TYPE,
  type OnnxAttribute,
  type OnnxGraph,
  type OnnxModel,
  type OnnxNode,
  type OnnxTensor,
} from '../onnx/onnx-types.ts';
import { NotRewritable } from './not-rewritable.ts';

const FLOAT = 1;
const UINT8 = 2;
const INT64 = 7;

export interface NewNode {
  readonly attributes?: readonly OnnxAttribute[];
  /** '' (default) for the standard operators. */
  readonly domain?: string;
  /** Name of the output; default: a fresh one. */
  readonly output?: string;
}

export class GraphEditor {
  readonly graph: OnnxGraph;
  readonly #model: OnnxModel;
  readonly #producers = new Map<string, OnnxNode>();
  readonly #constants = new Map<string, OnnxTensor>();
  #names = 0;

  constructor(model: OnnxModel) {
    if (model.graph === undefined) throw new NotRewritable('the file has no graph');
    this.#model = model;
    this.graph = model.graph;
    for (const node of this.#nodes) for (const name of node.output ?? []) this.#producers.set(name, node);
    for (const tensor of this.graph.initializer ?? []) this.#constants.set(tensor.name ?? '', tensor);
  }

  /** Version of the standard operators. */
  get opset(): number {
    const standard = this.#model.opsetImport?.find(
      ({ domain = '' }) => domain === '' || domain === 'ai.onnx',
    );
    return Number(standard?.version ?? 0);
  }

  /** The node that makes a value; undefined for inputs and weights. */
  producer(name: string): OnnxNode | undefined {
    return this.#producers.get(name);
  }

  /** Nodes that use a value, subgraphs included. */
  consumers(name: string): OnnxNode[] {
    return this.#nodes.filter((node) => usedBy(node).has(name));
  }

  /** By name, the nodes that use a value. What is added later is not in it. */
  allConsumers(): ReadonlyMap<string, readonly OnnxNode[]> {
    const consumers = new Map<string, OnnxNode[]>();
    for (const node of this.#nodes) {
      for (const name of usedBy(node)) {
        const known = consumers.get(name);
        if (known === undefined) consumers.set(name, [node]);
        else known.push(node);
      }
    }
    return consumers;
  }

  nodesOf(opType: string): OnnxNode[] {
    return this.#nodes.filter((node) => node.opType === opType);
  }

  /** A constant, from an initializer or a Constant node. */
  constant(name: string): OnnxTensor | undefined {
    const known = this.#constants.get(name);
    if (known !== undefined) return known;
    const node = this.#producers.get(name);
    if (node?.opType !== 'Constant') return undefined;
    return node.attribute?.find((attribute) => attribute.name === 'value')?.t;
  }

  /** True for a constant of one element. */
  isScalar(name: string): boolean {
    const tensor = this.constant(name);
    return tensor !== undefined && (tensor.dims ?? []).every((dim) => Number(dim) === 1);
  }

  /** Adds a node; returns the name of its output. */
  add(opType: string, input: readonly string[], options: NewNode = {}): string {
    const output = options.output ?? this.#fresh(opType);
    const node: OnnxNode = {
      opType,
      name: `troupe/${opType}_${output}`,
      input: [...input],
      output: [output],
    };
    if (options.attributes !== undefined) node.attribute = [...options.attributes];
    if (options.domain !== undefined) {
      node.domain = options.domain;
      this.#import(options.domain);
    }
    this.insert(node);
    return output;
  }

  /**
   * Adds an `If`: the nodes that `whenTrue` and `whenFalse` add become its branches. Each of the two returns the
   * names of its results, in the order of `outputs`, all made by nodes that it has added.
   */
  branch(condition: string, whenTrue: () => string[], whenFalse: () => string[], outputs: readonly string[]) {
    this.insert({
      opType: 'If',
      name: `troupe/If_${outputs[0]}`,
      input: [condition],
      output: [...outputs],
      attribute: [
        { name: 'then_branch', type: ATTRIBUTE_TYPE.graph, g: this.#subgraph('then', whenTrue) },
        { name: 'else_branch', type: ATTRIBUTE_TYPE.graph, g: this.#subgraph('else', whenFalse) },
      ],
    });
  }

  /** Adds an int64 constant: a list, or a scalar when given a number. */
  int64s(values: number | readonly number[]): string {
    const list = typeof values === 'number' ? [values] : values;
    const rawData = new Uint8Array(BigInt64Array.from(list, BigInt).buffer);
    return this.#constant({
      dims: typeof values === 'number' ? [] : [list.length],
      dataType: INT64,
      rawData,
    });
  }

  /** Adds a float32 scalar. */
  float(value: number): string {
    return this.#constant({
      dims: [],
      dataType: FLOAT,
      rawData: new Uint8Array(Float32Array.of(value).buffer),
    });
  }

  /** Adds a list of `count` float32, all the same. */
  floats(value: number, count: number): string {
    const rawData = new Uint8Array(new Float32Array(count).fill(value).buffer);
    return this.#constant({ dims: [count], dataType: FLOAT, rawData });
  }

  /** Adds a uint8 scalar. */
  uint8(value: number): string {
    return this.#constant({ dims: [], dataType: UINT8, rawData: Uint8Array.of(value) });
  }

  /** Adds a constant as it is. */
  tensor(tensor: OnnxTensor): string {
    return this.#constant(tensor);
  }

  /** Adds a node that is already whole. */
  insert(node: OnnxNode): void {
    this.#nodes.push(node);
    for (const name of node.output ?? []) this.#producers.set(name, node);
  }

  /** Adds a whole node of a domain other than that of the standard operators. */
  insertOf(domain: string, node: OnnxNode): void {
    this.insert({ ...node, domain });
    this.#import(domain);
  }

  /** Takes a node out, so that another may make its output. */
  remove(node: OnnxNode): void {
    this.graph.node = this.#nodes.filter((one) => one !== node);
    for (const name of node.output ?? []) this.#producers.delete(name);
  }

  /** Drops nodes and weights that no output needs, and sorts the nodes so that makers stand before users. */
  finish(): void {
    const sorted: OnnxNode[] = [];
    const seen = new Set<OnnxNode>();
    const used = new Set<string>();
    // Depth first with a stack of its own: a decoder is thousands of nodes deep.
    const stack: { node: OnnxNode; done: boolean }[] = [];
    const visit = (name: string) => {
      used.add(name);
      const node = this.#producers.get(name);
      if (node !== undefined && !seen.has(node)) stack.push({ node, done: false });
    };
    for (const output of this.graph.output ?? []) {
      visit(output.name ?? '');
      for (let top = stack.pop(); top !== undefined; top = stack.pop()) {
        if (top.done) sorted.push(top.node);
        else if (!seen.has(top.node)) {
          seen.add(top.node);
          stack.push({ node: top.node, done: true });
          for (const input of usedBy(top.node)) visit(input);
        }
      }
    }
    this.graph.node = sorted;
    this.graph.initializer = (this.graph.initializer ?? []).filter(({ name }) => used.has(name ?? ''));
    // Shapes written down by the exporter may no longer be true.
    delete this.graph.valueInfo;
  }

  get #nodes(): OnnxNode[] {
    this.graph.node ??= [];
    return this.graph.node;
  }

  #subgraph(name: string, build: () => string[]): OnnxGraph {
    const from = this.#nodes.length;
    const results = build();
    const node = this.#nodes.splice(from);
    for (const made of node.flatMap(({ output = [] }) => output)) this.#producers.delete(made);
    return { name: this.#fresh(name), node, output: results.map((result) => ({ name: result })) };
  }

  #constant(tensor: OnnxTensor): string {
    const name = this.#fresh('constant');
    const named = { ...tensor, name };
    this.graph.initializer ??= [];
    this.graph.initializer.push(named);
    this.#constants.set(name, named);
    return name;
  }

  #import(domain: string): void {
    this.#model.opsetImport ??= [];
    if (this.#model.opsetImport.some((one) => one.domain === domain)) return;
    this.#model.opsetImport.push({ domain, version: 1 });
  }

  #fresh(hint: string): string {
    this.#names += 1;
    return `troupe/${hint}_${this.#names}`;
  }
}

/** Names that a node reads, also from within its subgraphs. */
function usedBy(node: OnnxNode): Set<string> {
  const names = new Set(node.input ?? []);
  for (const attribute of node.attribute ?? []) {
    for (const graph of [...(attribute.g === undefined ? [] : [attribute.g]), ...(attribute.graphs ?? [])]) {
      for (const output of graph.output ?? []) names.add(output.name ?? '');
      for (const inner of graph.node ?? []) for (const name of usedBy(inner)) names.add(name);
    }
  }
  names.delete('');
  return names;
}

export function intAttribute(name: string, i: number): OnnxAttribute {
  return { name, type: ATTRIBUTE_TYPE.int, i };
}

export function intsAttribute(name: string, ints: readonly number[]): OnnxAttribute {
  return { name, type: ATTRIBUTE_TYPE.ints, ints: [...ints] };
}
