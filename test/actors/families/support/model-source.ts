/** Configurations of real models, read beside graphs of which only inputs and outputs are there. */
import { ModelSource, type ModelSourceParts } from '../../../../actors/families/model-source.ts';
import type { GraphFile } from '../../../../actors/model/graph-files.ts';
import type { TensorSignature } from '../../../../actors/model/onnx/graph-signature.ts';

export interface GraphFacts {
  readonly layers: number;
  readonly kvHeads: number;
  readonly headDim: number;
  readonly hidden: number;
  readonly vocab: number;
  /** Default `['CumSum']`. */
  readonly opTypes?: readonly string[];
  /** Of the vision graph, beside `pixel_values`. */
  readonly visionInputs?: readonly string[];
  /** Dimensions of `image_features`. */
  readonly features: TensorSignature['dims'];
}

const tensor = (name: string, ...dims: (number | string)[]): TensorSignature => ({
  name,
  type: 'float32',
  dims,
});

function graph(
  name: string,
  inputs: readonly TensorSignature[],
  outputs: readonly TensorSignature[],
  opTypes: readonly string[] = [],
): GraphFile {
  const signature = { inputs, outputs, opTypes, externalData: [], initializerBytes: {} };
  return { path: `/model/onnx/${name}.onnx`, dtype: 'fp32', signature };
}

export function sourceOf(
  facts: GraphFacts,
  {
    preprocessor,
    ...parts
  }: Partial<Omit<ModelSourceParts, 'preprocessor' | 'graphs'>> & {
    readonly preprocessor?: unknown;
  },
): ModelSource {
  const caches = Array.from({ length: facts.layers }, (_, layer) =>
    ['key', 'value'].map((part) =>
      tensor(`past_key_values.${layer}.${part}`, 'batch', facts.kvHeads, 'past', facts.headDim),
    ),
  );
  const embeds = tensor('inputs_embeds', 'batch', 'length', facts.hidden);
  const vision = [tensor('pixel_values', 'tiles', 3, 'height', 'width')];
  return new ModelSource({
    path: '/model',
    config: {},
    processor: {},
    generationConfig: { eos_token_id: [1] },
    preprocessor: { file: '/model/preprocessor_config.json', value: preprocessor ?? {} },
    ...parts,
    graphs: {
      vision: graph(
        'vision_encoder',
        [...vision, ...(facts.visionInputs ?? []).map((name) => tensor(name, 1, 2))],
        [tensor('image_features', ...facts.features)],
      ),
      embed: graph('embed_tokens', [tensor('input_ids', 'batch', 'length')], [embeds]),
      decoder: graph(
        'decoder_model_merged',
        [embeds, ...caches.flat()],
        [tensor('logits', 'batch', 'length', facts.vocab)],
        facts.opTypes ?? ['CumSum'],
      ),
    },
  });
}
