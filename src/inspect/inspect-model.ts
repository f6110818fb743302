/** What a model directory holds, whether each mode can run it, and what each mode would start. */
import { stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import type { ModelGeometry } from '../../actors/model/geometry.ts';
import type { Dtype, GraphRole } from '../../actors/model/graph-files.ts';
import type { Encoding, ModelDirectory, RewritableGraph } from '../../actors/model/model-directory.ts';
import type { TensorSignature } from '../../actors/model/onnx/graph-signature.ts';
import type { RewrittenAttention } from '../../actors/model/rewrite/rewrite-decoder.ts';
import { quantizesAsItRuns } from '../../actors/model/rewrite/row-quantization.ts';
import { PREFILL_POOL } from '../../actors/protocols.ts';
import { MODES, type Mode } from '../chat-types.ts';
import { type KvPlan, planKv } from '../config/kv-plan.ts';
import type { TroupeOptions } from '../config/options.ts';
import { planPrefill } from '../config/prefill-plan.ts';
import { resolveConfig } from '../config/resolve-config.ts';
import { thisMachine } from '../config/this-machine.ts';
import { planThreads } from '../config/thread-plan.ts';
import { type GraphSharing, planSharing } from '../config/weight-sharing.ts';
import { type InspectedDevices, inspectDevices } from './inspect-devices.ts';
import { obstacleTo, openModel } from './load-model.ts';

export interface InspectedGraph {
  readonly role: GraphRole;
  /** Relative to the model directory. */
  readonly path: string;
  readonly dtype: Dtype;
  /** Of the graph file and its external data. */
  readonly bytes: number;
  readonly inputs: readonly TensorSignature[];
  readonly outputs: readonly TensorSignature[];
  /** Files with weights beside the graph file. */
  readonly external: readonly string[];
  /** What its activations in 8 bits have a scale for, when they are quantized as it runs; absent without. */
  readonly quantization?: ActivationScales;
}

/** `per run`: what a request gets depends on the others in its run, as the export has it. */
export type ActivationScales = 'per row' | 'mixed' | 'per run';

export interface InspectedMode {
  readonly ok: boolean;
  /** Why not, and what to do. */
  readonly reason?: string;
  readonly code?: string;
  /** The actors it would start, a thread each. */
  readonly actors: readonly {
    readonly pool: string;
    readonly count: number;
    /** Intra-op threads of each one's sessions; 0 where it runs no inference. They sleep while they have no work. */
    readonly threads: number;
    /** Where these numbers come from. */
    readonly why: string;
  }[];
  /** Which graphs' weights the actors would share, and why. */
  readonly weights: readonly GraphSharing[];
  /** What else there is to say. */
  readonly notes: readonly string[];
}

/** How the decoder is run: rewritten, so that a step hands over only what is new, or as it came. */
export interface InspectedDecoder {
  readonly rewritten: boolean;
  /** `split`: the cache is read in place; `kept`: it is joined inside the graph. Absent when not rewritten. */
  readonly attention?: RewrittenAttention;
  /** Where the rewritten graph is kept. */
  readonly path?: string;
  /** Why the decoder runs as it came. */
  readonly reason?: string;
}

export interface InspectReport {
  readonly path: string;
  /** Cores that this process may use. */
  readonly cores: number;
  readonly modelType: string;
  readonly encoding: Encoding;
  readonly graphs: readonly InspectedGraph[];
  readonly geometry: ModelGeometry;
  readonly decoder: InspectedDecoder;
  /** Memory of one actor for keys and values, as it would be planned now. */
  readonly kvCache: KvPlan;
  readonly modes: Readonly<Record<Mode, InspectedMode>>;
  readonly devices: InspectedDevices;
}

/** @throws InputError, ModelError as `Troupe.start` does, save that a mode that cannot run is only reported */
export async function inspectModel(options: TroupeOptions = {}): Promise<InspectReport> {
  const config = resolveConfig(options);
  const directory = await openModel(config.model, config.dtype);
  const { path, modelType, encoding, geometry } = directory;
  const graphs = await Promise.all(
    graphsOf(directory).map(([role, graph]) => inspectGraph(role, graph, path)),
  );
  const [aggregated, disaggregated] = MODES.map((mode) => inspectMode(mode, directory, options));
  if (aggregated === undefined || disaggregated === undefined) throw new Error('a mode is missing in MODES');
  const actors = planThreads(config.mode, config.pools, thisMachine(directory)).pd.count;
  return {
    path,
    cores: thisMachine(directory).cores,
    modelType,
    encoding,
    graphs,
    geometry,
    decoder: inspectDecoder(directory),
    kvCache: planKv(
      directory,
      { ...config, actors },
      Math.min(process.availableMemory(), config.memory.limitBytes),
    ),
    modes: { aggregated, disaggregated },
    devices: await inspectDevices(thisMachine(directory).weightBytes),
  };
}

function inspectDecoder({ graphs }: ModelDirectory): InspectedDecoder {
  const { rewrite } = graphs.decoder;
  if (rewrite === undefined) return { rewritten: false, reason: 'nobody tried' };
  if (!rewrite.rewritten) return rewrite;
  const { attention, path } = rewrite;
  return { rewritten: true, attention, path };
}

function graphsOf({ graphs }: ModelDirectory): [GraphRole, RewritableGraph][] {
  const all: [GraphRole, RewritableGraph | undefined][] = [
    ['vision', graphs.vision],
    ['embed', graphs.embed],
    ['decoder', graphs.decoder],
  ];
  return all.filter((entry): entry is [GraphRole, RewritableGraph] => entry[1] !== undefined);
}

async function inspectGraph(
  role: GraphRole,
  { path, dtype, signature, rewrite }: RewritableGraph,
  root: string,
): Promise<InspectedGraph> {
  const external = [...new Set(signature.externalData.map(({ location }) => location))];
  const files = [path, ...external.map((location) => join(dirname(path), location))];
  const sizes = await Promise.all(files.map(async (file) => (await stat(file)).size));
  return {
    role,
    path: relative(root, path),
    dtype,
    bytes: sizes.reduce((sum, size) => sum + size, 0),
    inputs: signature.inputs,
    outputs: signature.outputs,
    external,
    ...(quantizesAsItRuns(signature) ? { quantization: activationScales(rewrite) } : {}),
  };
}

function activationScales(rewrite: RewritableGraph['rewrite']): ActivationScales {
  const { byRow, perTensor } = rewrite?.rewritten ? rewrite.quantization : { byRow: 0, perTensor: 1 };
  if (perTensor === 0) return 'per row';
  return byRow === 0 ? 'per run' : 'mixed';
}

function inspectMode(
  mode: Mode,
  directory: ModelDirectory,
  { encoder, ...options }: TroupeOptions,
): InspectedMode {
  const forMode = mode === 'disaggregated' && encoder !== undefined ? { ...options, encoder } : options;
  const { pools, shareWeights } = resolveConfig({ ...forMode, mode });
  const threads = planThreads(mode, pools, thisMachine(directory));
  const facts = { directory, device: 'cpu', sharing: shareWeights } as const;
  const plan = planPrefill(threads, pools.prefill, facts);
  const weights = planSharing(mode, directory, plan, shareWeights);
  const actors = [
    { pool: 'processor', ...plan.processor },
    ...(plan.encoder === undefined ? [] : [{ pool: 'encoder', ...plan.encoder }]),
    { pool: mode === 'aggregated' ? 'aggregated' : 'pd', ...plan.pd },
    ...(plan.prefill === undefined ? [] : [{ pool: PREFILL_POOL, ...plan.prefill }]),
  ];
  const obstacle = obstacleTo(mode, directory);
  const planned = { actors, weights, notes: plan.notes };
  if (obstacle === undefined) return { ok: true, ...planned };
  return { ok: false, reason: obstacle.message, code: obstacle.code, ...planned };
}
