/** The rewritten vision graph on disk. Only one with dynamic quantization has anything to be rewritten. */
import { z } from 'zod';
import { GraphEditor } from './graph-editor.ts';
import { type GraphRewrite, type GraphToRewrite, rewrittenGraph } from './rewritten-graph.ts';
import { quantizeByRow, rowQuantizationSchema } from './row-quantization.ts';

const factsSchema = z.strictObject({ quantization: rowQuantizationSchema });

export type VisionRewrite = GraphRewrite<z.infer<typeof factsSchema>>;

export function rewrittenVision(graph: GraphToRewrite): Promise<VisionRewrite> {
  return rewrittenGraph(graph, {
    purpose: 'vision',
    settings: null,
    rewrite: (model) => {
      const editor = new GraphEditor(model);
      const quantization = quantizeByRow(editor);
      editor.finish();
      return { quantization };
    },
    facts: factsSchema,
  });
}
