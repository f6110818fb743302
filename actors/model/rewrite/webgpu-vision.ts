/** The vision graph as the WebGPU provider can run it: as it came, but for masks that the provider does not know. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import type { GraphSignature } from '../onnx/graph-signature.ts';
import { decodeModel } from '../onnx/onnx-proto.ts';
import { GraphEditor } from './graph-editor.ts';
import { maskAsBias, masksOf } from './mask-as-bias.ts';
import { type GraphRewrite, type GraphToRewrite, rewrittenGraph } from './rewritten-graph.ts';

const factsSchema = z.strictObject({ masks: z.number() });

/** What `loadGraph` loads. */
export interface WebGpuVision {
  readonly path: string;
  readonly rewrite?: GraphRewrite;
}

/** @throws ModelError MODEL_UNSUPPORTED when it would have to be rewritten, and that cannot be done */
export async function webGpuVision(
  graph: GraphToRewrite,
  { opTypes }: Pick<GraphSignature, 'opTypes'>,
): Promise<WebGpuVision> {
  const { path } = graph;
  // Reading a graph takes a while: not those that have no such operator.
  if (!opTypes.includes('com.microsoft.MultiHeadAttention')) return { path };
  const masked = masksOf(new GraphEditor(decodeModel(await readFile(path))));
  if (masked.length === 0) return { path };
  const rewrite = await rewrittenGraph(graph, {
    purpose: 'vision-webgpu',
    settings: null,
    rewrite: (model) => {
      const editor = new GraphEditor(model);
      const masks = maskAsBias(editor);
      editor.finish();
      return { masks };
    },
    facts: factsSchema,
  });
  if (rewrite.rewritten) return { path, rewrite };
  const problem = `WebGPU does not know the masks of keys in the vision graph, and they cannot be rewritten: ${rewrite.reason}`;
  const remedy =
    'Let the graph cache be written (TROUPE_CACHE_DIR), or run this model on the CPU: device cpu';
  throw new ModelError('MODEL_UNSUPPORTED', problem, { path, remedy });
}
