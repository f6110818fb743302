/**
 * The keys and values of several layers as one input and one output. On a GPU each tensor that a run hands over costs time of
 * its own, a step hands over two for each layer, and onnxruntime keeps few buffers of a size for later: the others are
 * given back to the driver and asked for again at every step.
 *
 *     past_key_values.stack.N  [B, heads of its tensors, T, headDim]       cut apart (Split)
 *     present.stack.N          [B, heads of its tensors, T + S, headDim]   put together (Concat)
 *
 * So many tensors in a stack that one operator on a GPU can read them: WebGPU lets it have ten buffers.
 */
import type { OnnxValueInfo } from '../onnx/onnx-types.ts';
import { type GraphEditor, intAttribute } from './graph-editor.ts';

/** Keys and values of four layers. */
const IN_A_STACK = 8;

const SPLIT_18 = 18;

const PAST = /^past_key_values\.(\d+)\.(key|value)$/;

/** @returns how many stacks there are now; 0 where tensors differ */
export function stackCache(editor: GraphEditor): number {
  const { graph } = editor;
  const pasts = (graph.input ?? []).filter(({ name = '' }) => PAST.test(name));
  const outputs = new Map((graph.output ?? []).map((output) => [output.name ?? '', output]));
  const [first] = pasts;
  const [one] = pasts.map(shapeOf);
  const alike = pasts.every((past) => {
    const [shape, present] = [shapeOf(past), outputs.get(presentOf(past))];
    return shape !== undefined && present !== undefined && shape.join() === one?.join();
  });
  if (first === undefined || one === undefined || !alike) return 0;
  const names = new Set([...pasts.map(({ name = '' }) => name), ...pasts.map(presentOf)]);
  const others = (values: OnnxValueInfo[] = []) => values.filter(({ name = '' }) => !names.has(name));
  graph.input = others(graph.input);
  graph.output = others(graph.output);
  const [elemType, heads, width] = one;
  let stacks = 0;
  for (let from = 0; from < pasts.length; from += IN_A_STACK) {
    const some = pasts.slice(from, from + IN_A_STACK);
    const value = (name: string, length: string): OnnxValueInfo => ({
      name,
      type: {
        tensorType: {
          elemType,
          shape: {
            dim: [
              { dimParam: 'batch_size' },
              { dimValue: some.length * heads },
              { dimParam: length },
              { dimValue: width },
            ],
          },
        },
      },
    });
    const [past, present] = [`past_key_values.stack.${stacks}`, `present.stack.${stacks}`];
    graph.input.push(value(past, 'past_sequence_length'));
    graph.output.push(value(present, 'total_sequence_length'));
    cut(editor, past, some);
    editor.add('Concat', some.map(presentOf), { output: present, attributes: [intAttribute('axis', 1)] });
    stacks += 1;
  }
  return stacks;
}

/** All in one operator. Of one opset on it has to be told of equal parts. */
function cut(editor: GraphEditor, past: string, parts: readonly OnnxValueInfo[]): void {
  const equal = editor.opset >= SPLIT_18 ? [intAttribute('num_outputs', parts.length)] : [];
  editor.insert({
    opType: 'Split',
    name: `troupe/${past}`,
    input: [past],
    output: parts.map(({ name = '' }) => name),
    attribute: [intAttribute('axis', 1), ...equal],
  });
}

/** Element type, heads and their width; undefined where one is not written down. */
function shapeOf({ type }: OnnxValueInfo): readonly [number, number, number] | undefined {
  const { elemType, shape } = type?.tensorType ?? {};
  const [, heads, , width] = shape?.dim ?? [];
  if (elemType === undefined || heads?.dimValue === undefined || width?.dimValue === undefined)
    return undefined;
  return [elemType, Number(heads.dimValue), Number(width.dimValue)];
}

function presentOf({ name = '' }: OnnxValueInfo): string {
  return name.replace('past_key_values', 'present');
}
