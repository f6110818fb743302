/**
 * Which graphs' weights the actors share, and why: those that are large enough. What is shared is mapped from a file, so that
 * one actor alone gains too: packed in its own memory, weights are pages that the system cannot take back. Sharing costs disk
 * space (twice the weights, in the cache folder), a few seconds at the first start, and reading them once at each start, before they
 * are mapped; so for one actor alone it is not done with the largest.
 */
import type { GraphFile } from '../../actors/model/graph-files.ts';
import type { LoadedGraph, ModelDirectory } from '../../actors/model/model-directory.ts';
import type { Mode } from '../chat-types.ts';
import type { Devices } from '../devices/choose-devices.ts';
import { type ThreadPlan, threadsBeside } from './thread-plan.ts';

/**
 * Whether actors that load the same graph share its weights in memory: `auto` where several do and it is large,
 * always, or never.
 */
export type WeightSharing = 'auto' | 'always' | 'never';

export const WEIGHT_SHARING: readonly WeightSharing[] = ['auto', 'always', 'never'];

/**
 * What is mapped of weights in files beside a graph: `copies` of them that the graph cache keeps, the `originals`, or
 * `never` anything: they are read into memory.
 */
export type MapWeights = 'copies' | 'originals' | 'never';

export const MAP_WEIGHTS: readonly MapWeights[] = ['copies', 'originals', 'never'];

/** Whether the weights of a graph are shared, and why. */
export interface GraphSharing {
  /** Which graph of the model; `prompts`: the decoder as prompts have it, where that is another. */
  readonly graph: LoadedGraph;
  /** Actors that load it; one that loads it for two numbers of threads counts twice. */
  readonly actors: number;
  /** Bytes of its weights. */
  readonly weightBytes: number;
  /** Whether they are shared. */
  readonly share: boolean;
  /** As a sentence without a full stop. */
  readonly why: string;
}

/** A worker thread takes 33 MB without any weights; small copies of them do not change the order of that. */
const WORTH_SHARING_BYTES = 32 * 1024 * 1024;

/** Of what one actor alone loads: a gigabyte on disk for its sake is enough. */
const MOST_ALONE_BYTES = 512 * 1024 * 1024;

/** Operators that only pick rows: their weights are read where they are mapped, nothing is packed. */
const UNPACKED_OPERATORS: ReadonlySet<string> = new Set(['Cast', 'Constant', 'Gather', 'Identity']);

export function planSharing(
  mode: Mode,
  { graphs }: Pick<ModelDirectory, 'graphs'>,
  plan: ThreadPlan,
  sharing: WeightSharing,
  devices: Devices = { encoder: 'cpu', pd: 'cpu' },
): GraphSharing[] {
  // A PD actor that is helped has its decoder on all of its threads, and on those that are left meanwhile.
  const each = threadsBeside(plan) === plan.pd.threads ? 1 : 2;
  // The first of several has more threads while it works alone.
  const alone = plan.pd.alone === undefined ? 0 : 1;
  // These two run nothing but prompts.
  const helpers = plan.prefill?.count ?? 0;
  const decoders = each * plan.pd.count + alone + helpers;
  const encoders = mode === 'aggregated' ? plan.pd.count + alone : (plan.encoder?.count ?? 0);
  const loaded: readonly (readonly [LoadedGraph, GraphFile | undefined, number])[] = [
    ['vision', graphs.vision, encoders],
    ['embed', graphs.embed, plan.pd.count],
    ['decoder', graphs.decoder, graphs.prompts === undefined ? decoders : decoders - alone - helpers],
    ['prompts', graphs.prompts, decoders],
  ];
  return loaded.flatMap(([graph, file, actors]) => {
    if (file === undefined) return [];
    const facts = { graph, actors, weightBytes: weightsOf(file) };
    const device = { vision: devices.encoder, embed: 'cpu', decoder: devices.pd, prompts: 'cpu' }[graph];
    if (device !== 'cpu')
      return [{ ...facts, share: false, why: 'it runs on a GPU, which has weights of its own' }];
    return [{ ...facts, ...decide(file, facts, sharing) }];
  });
}

function decide(
  file: GraphFile,
  { actors, weightBytes }: Pick<GraphSharing, 'actors' | 'weightBytes'>,
  sharing: WeightSharing,
): Pick<GraphSharing, 'share' | 'why'> {
  if (sharing === 'never') return { share: false, why: 'as asked for' };
  if (isMappedAnyway(file))
    return { share: false, why: 'its weights are read from their file by all actors anyway' };
  if (sharing === 'always') return { share: true, why: 'as asked for' };
  if (weightBytes < WORTH_SHARING_BYTES)
    return { share: false, why: 'it is smaller than what an actor takes anyway' };
  if (actors > 1) return { share: true, why: `${actors} actors load it` };
  if (weightBytes > MOST_ALONE_BYTES)
    return { share: false, why: 'one actor alone loads it, and it is large for a copy on disk' };
  return { share: true, why: 'mapped from a file, its packed weights are in nobody’s own memory' };
}

/** External data that no operator packs: onnxruntime maps the file. */
function isMappedAnyway({ signature }: GraphFile): boolean {
  return signature.externalData.length > 0 && signature.opTypes.every((type) => UNPACKED_OPERATORS.has(type));
}

export function weightsOf({ signature }: GraphFile): number {
  return Object.values(signature.initializerBytes).reduce((sum, bytes) => sum + bytes, 0);
}
