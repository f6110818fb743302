/** The vision graph as the WebGPU provider can run it: as it came, but for masks that the provider does not know. */
import { z } from 'zod';
import { ModelError } from '../../errors.ts';
import type { GraphSignature } from '../onnx/graph-signature.ts';
import { GraphEditor } from './graph-editor.ts';
import { maskAsBias } from './mask-as-bias.ts';
import { NotRewritable } from './not-rewritable.ts';
import { type GraphRewrite, type GraphToRewrite, rewrittenGraph } from './rewritten-graph.ts';

const factsSchema = z.strictObject({ masks: z.number() });
const NOTHING = 'it has no masks of keys';

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
  const asItCame = { path: graph.path };
  // Reading a graph takes a while: not those that have no such operator.
  if (!opTypes.includes('com.microsoft.MultiHeadAttention')) return asItCame;
  const rewrite = await rewrittenGraph(graph, {
    purpose: 'vision-webgpu',
    settings: null,
    rewrite: (model) => {
      const editor = new GraphEditor(model);
      const masks = maskAsBias(editor);
      if (masks === 0) throw new NotRewritable(NOTHING);
      editor.finish();
      return { masks };
    },
    facts: factsSchema,
  });
  if (rewrite.rewritten) return { ...asItCame, rewrite };
  if (rewrite.reason === NOTHING) return asItCame;
  const problem = `The vision graph's masks of keys are unknown to WebGPU, and it cannot be rewritten: ${rewrite.reason}`;
  const remedy = 'Run this model on the CPU: device cpu';
  throw new ModelError('MODEL_UNSUPPORTED', problem, { path: graph.path, remedy });
}
