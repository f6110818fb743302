/** Decoders of every kind that is rewritten, small. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeModel } from '../../../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel } from '../../../../actors/model/onnx/onnx-types.ts';
import type { AttentionShape } from '../../../../actors/model/rewrite/split-attention.ts';
import { intAttribute, node } from '../../../fixtures/graphs/graph-builder.ts';
import { GROUP_QUERY, groupQueryDecoder } from '../../../fixtures/graphs/group-query-decoder.ts';
import { PILOT_MODEL } from '../../../support/pilot-model.ts';

const PILOT = join(PILOT_MODEL, 'onnx', 'decoder_model_merged.onnx');
/** Enough positions for every scene. */
const CONTEXT = 1024;
export const PILOT_SHAPE = { heads: 4, kvHeads: 2, headDim: 32, hidden: 128, layers: 4 };

export interface DecoderKind {
  readonly name: string;
  readonly shape: AttentionShape & { readonly hidden: number; readonly layers: number };
  model(): Promise<OnnxModel>;
}

/** The pilot's decoder, which joins past and new tokens with Concat. */
export async function pilotDecoder(): Promise<OnnxModel> {
  return decodeModel(await readFile(PILOT));
}

export const CONCAT: DecoderKind = { name: 'Concat', shape: PILOT_SHAPE, model: pilotDecoder };

export const GROUPED: DecoderKind = {
  name: 'GroupQueryAttention',
  shape: GROUP_QUERY,
  model: async () => groupQueryDecoder('float32', CONTEXT),
};

export const WINDOWED: DecoderKind = {
  name: 'GroupQueryAttention with a sliding window in one of its layers',
  shape: GROUP_QUERY,
  model: async () => groupQueryDecoder('float32', CONTEXT, { windows: [5, undefined] }),
};

export const kinds: readonly DecoderKind[] = [
  CONCAT,
  GROUPED,
  WINDOWED,
  {
    name: 'GroupQueryAttention with two sliding windows',
    shape: GROUP_QUERY,
    model: async () => groupQueryDecoder('float32', CONTEXT, { windows: [1, 300] }),
  },
  {
    name: 'GroupQueryAttention with capped scores and a window',
    shape: GROUP_QUERY,
    model: async () => groupQueryDecoder('float32', CONTEXT, { windows: [8, undefined], softcap: 0.5 }),
  },
  {
    name: 'GroupQueryAttention with packed query, key and value',
    shape: GROUP_QUERY,
    model: async () => packed(groupQueryDecoder('float32', CONTEXT)),
  },
];

/** Joins the three projections of each layer, as exports with packed weights have them. */
function packed(model: OnnxModel): OnnxModel {
  const nodes = model.graph?.node ?? [];
  for (const attention of nodes.filter(({ opType }) => opType === 'GroupQueryAttention')) {
    const [q = '', k = '', v = ''] = attention.input ?? [];
    const joined = node('Concat', [q, k, v], [`${q}_packed`], [intAttribute('axis', 2)]);
    nodes.splice(nodes.indexOf(attention), 0, joined);
    attention.input?.splice(0, 3, `${q}_packed`, '', '');
  }
  return model;
}
