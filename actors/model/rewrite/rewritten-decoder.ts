/** The rewritten decoder on disk: see `rewrite-decoder.ts` for what is done to it. */
import { z } from 'zod';
import { rewriteDecoder } from './rewrite-decoder.ts';
import { type GraphRewrite, type GraphToRewrite, rewrittenGraph } from './rewritten-graph.ts';
import { rowQuantizationSchema } from './row-quantization.ts';
import type { AttentionShape } from './split-attention.ts';

export interface DecoderToRewrite extends GraphToRewrite {
  readonly shape: AttentionShape;
}

const factsSchema = z.strictObject({
  attention: z.enum(['split', 'kept']),
  quantization: rowQuantizationSchema,
});

export type DecoderRewrite = GraphRewrite<z.infer<typeof factsSchema>>;

export function rewrittenDecoder({ shape, ...graph }: DecoderToRewrite): Promise<DecoderRewrite> {
  return rewrittenGraph(graph, {
    purpose: 'decoder',
    settings: shape,
    rewrite: (model) => rewriteDecoder(model, shape),
    facts: factsSchema,
  });
}
