/**
 * The decoder for prompts alone, on disk: rewritten as for decode steps, with its products of weights in 4 bits in 8
 * (`eight-bit-products.ts`). Its weights are its own, in a file beside it.
 */
import { z } from 'zod';
import { multiplyInEightBits } from './eight-bit-products.ts';
import { largestLevel } from './eight-bit-weights.ts';
import { NotRewritable } from './not-rewritable.ts';
import { rewriteDecoder } from './rewrite-decoder.ts';
import type { DecoderToRewrite } from './rewritten-decoder.ts';
import { type GraphRewrite, rewrittenGraph } from './rewritten-graph.ts';

const factsSchema = z.strictObject({
  /** In 8 bits now. */
  products: z.number(),
});

export type PromptsRewrite = GraphRewrite<z.infer<typeof factsSchema>>;

export function rewrittenPrompts({ shape, ...graph }: DecoderToRewrite): Promise<PromptsRewrite> {
  return rewrittenGraph(graph, {
    purpose: 'prompts',
    settings: [shape, largestLevel()],
    weightsName: 'prompts.weights',
    rewrite: (model, source, target) => {
      if (target === undefined) throw new TypeError('It has weights of its own');
      let products = 0;
      rewriteDecoder(model, shape, (editor) => {
        products = multiplyInEightBits(editor, { source, target });
      });
      if (products === 0) throw new NotRewritable('none of its products has weights in 4 bits');
      return { products };
    },
    facts: factsSchema,
  });
}
