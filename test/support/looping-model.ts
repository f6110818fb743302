/** The pilot model with a graph that never ends for one token, in native code: a loop that only the data begins. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeModel, encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel } from '../../actors/model/onnx/onnx-types.ts';
import { graphAttribute, int64s, intAttribute, node, TYPE, value } from '../fixtures/graphs/graph-builder.ts';
import { PILOT_MODEL } from './pilot-model.ts';

export interface LoopingModel extends AsyncDisposable {
  readonly path: string;
}

/** The text of the token that it loops for. */
export const LOOPS = '~';

export async function loopingModel(): Promise<LoopingModel> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-looping-'));
  await cp(PILOT_MODEL, path, { recursive: true, filter: (source) => !source.includes('.troupe-cache') });
  const { model } = JSON.parse(await readFile(join(path, 'tokenizer.json'), 'utf8'));
  const file = join(path, 'onnx', 'embed_tokens.onnx');
  await writeFile(file, encodeModel(loopingFor(model.vocab[LOOPS], decodeModel(await readFile(file)))));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true, force: true }) };
}

/** `embeds` is passed through as many rounds of a loop as there are tokens of that id, times 2^50. */
function loopingFor(token: number, model: OnnxModel): OnnxModel {
  const { graph } = model;
  const [output] = graph?.output ?? [];
  const [input] = graph?.input ?? [];
  if (graph === undefined || output?.name === undefined || input?.name === undefined) throw new TypeError();
  const embeds = 'embeds';
  const nodes = (graph.node ?? []).map((each) => ({
    ...each,
    output: each.output?.map((name) => (name === output.name ? embeds : name)) ?? [],
  }));
  const body = {
    name: 'body',
    input: [value('round', 'int64', []), value('goes_on', 'bool', []), { ...output, name: 'before' }],
    output: [value('still', 'bool', []), { ...output, name: 'after' }],
    node: [node('Identity', ['goes_on'], ['still']), node('Identity', ['before'], ['after'])],
  };
  const loop = [
    node('Equal', [input.name, 'token'], ['is_token']),
    node('Cast', ['is_token'], ['count'], [intAttribute('to', TYPE.int64)]),
    node('ReduceSum', ['count'], ['counted'], [intAttribute('keepdims', 0)]),
    node('Mul', ['counted', 'rounds'], ['trips']),
    node('Loop', ['trips', '', embeds], [output.name], [graphAttribute('body', body)]),
  ];
  const constants = [int64s('token', token), int64s('rounds', 2 ** 50)];
  return {
    ...model,
    graph: { ...graph, node: [...nodes, ...loop], initializer: [...(graph.initializer ?? []), ...constants] },
  };
}
