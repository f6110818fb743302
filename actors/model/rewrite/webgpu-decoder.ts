/**
 * The decoder as the WebGPU provider runs it fastest: as it came, but with fewer operators, fewer tensors to hand over, and
 * the likeliest token chosen on the GPU. What is computed is the same; see the parts for what each is worth.
 *
 *     outputs  present.stack.N, logits      stay on the GPU (see `gpu-logits.ts`)
 *              likeliest.all                goes to the host
 */
import { z } from 'zod';
import type { OnnxModel, OnnxNode } from '../onnx/onnx-types.ts';
import { GraphEditor } from './graph-editor.ts';
import { INPUT, windowOf } from './group-query-attention.ts';
import { addLikeliestOnGpu, LIKELIEST_ON_GPU } from './likeliest-on-gpu.ts';
import { NotRewritable } from './not-rewritable.ts';
import { packAttention } from './packed-attention.ts';
import { type GraphRewrite, type GraphToRewrite, rewrittenGraph } from './rewritten-graph.ts';
import { fuseSkipNorms } from './skip-norms.ts';
import { stackCache } from './stacked-cache.ts';

export interface WebGpuDecoderToRewrite extends GraphToRewrite {
  /** Tokens that the logits are of. */
  readonly vocabulary: number;
}

const factsSchema = z.strictObject({
  /** Outputs that are to stay on the GPU. */
  staysOnGpu: z.array(z.string()),
});

export type WebGpuDecoderFacts = z.infer<typeof factsSchema>;

export type WebGpuDecoderRewrite = GraphRewrite<WebGpuDecoderFacts>;

export function webGpuDecoder({
  vocabulary,
  ...graph
}: WebGpuDecoderToRewrite): Promise<WebGpuDecoderRewrite> {
  return rewrittenGraph(graph, {
    purpose: 'decoder-webgpu',
    settings: vocabulary,
    rewrite: (model) => rewriteForWebGpu(model, vocabulary),
    facts: factsSchema,
  });
}

/** Changes `model` in place. @throws NotRewritable for attention that is not GroupQueryAttention, or has more than its plain form */
export function rewriteForWebGpu(model: OnnxModel, vocabulary: number): WebGpuDecoderFacts {
  const editor = new GraphEditor(model);
  const attention = editor.nodesOf('GroupQueryAttention');
  if (attention.length === 0) throw new NotRewritable('its attention is not GroupQueryAttention');
  if (!attention.every(isPlain)) throw new NotRewritable('its attention has a window, a bias or sinks');
  fuseSkipNorms(editor);
  packAttention(editor);
  stackCache(editor);
  if (!addLikeliestOnGpu(editor, vocabulary)) throw new NotRewritable('its logits are of an unknown kind');
  const names = (editor.graph.output ?? []).map(({ name = '' }) => name);
  editor.finish();
  return { staysOnGpu: names.filter((name) => name !== LIKELIEST_ON_GPU) };
}

/** Whether it sees all that is before a token, and nothing is added to its scores: with more it was not tried in place. */
function isPlain(node: OnnxNode): boolean {
  const further = (node.input ?? []).slice(INPUT.positions + 1).some((name) => name !== '');
  const smooth = node.attribute?.some(({ name, i }) => name === 'smooth_softmax' && Number(i) === 1) ?? false;
  return windowOf(node) === undefined && !smooth && !further;
}
