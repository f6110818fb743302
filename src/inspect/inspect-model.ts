/** What a model directory holds, whether each mode can run it, and what each mode would start. */
import { stat } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { imagesOf } from '../../actors/families/registry.ts';
import type { ModelGeometry } from '../../actors/model/geometry.ts';
import type { Dtype, GraphRole } from '../../actors/model/graph-files.ts';
import type { Encoding, ModelDirectory, RewritableGraph } from '../../actors/model/model-directory.ts';
import type { TensorSignature } from '../../actors/model/onnx/graph-signature.ts';
import type { RewrittenAttention } from '../../actors/model/rewrite/rewrite-decoder.ts';
import { quantizesAsItRuns } from '../../actors/model/rewrite/row-quantization.ts';
import { PREFILL_POOL } from '../../actors/protocols.ts';
import { assertOptions } from '../caller-input.ts';
import { MODES, type Mode } from '../chat-types.ts';
import { type KvPlan, planKv } from '../config/kv-plan.ts';
import type { TroupeOptions } from '../config/options.ts';
import { planPrefill } from '../config/prefill-plan.ts';
import { type ResolvedConfig, resolveConfig } from '../config/resolve-config.ts';
import { thisMachine } from '../config/this-machine.ts';
import { planThreads } from '../config/thread-plan.ts';
import { type GraphSharing, planSharing } from '../config/weight-sharing.ts';
import { openModelFolder } from '../hub/model-folder.ts';
import { withModelHeads } from '../hub/model-heads.ts';
import { nameOf } from '../hub/model-name.ts';
import { type InspectedDevices, inspectDevices } from './inspect-devices.ts';
import { obstacleTo, openModel } from './load-model.ts';

/** One ONNX graph of a model directory. */
export interface InspectedGraph {
  /** What the model uses it for. */
  readonly role: GraphRole;
  /** Relative to the model directory. */
  readonly path: string;
  /** Precision of its weights. */
  readonly dtype: Dtype;
  /** Of the graph file and its external data. */
  readonly bytes: number;
  /** Names, types and shapes of what it takes. */
  readonly inputs: readonly TensorSignature[];
  /** The same of what it gives. */
  readonly outputs: readonly TensorSignature[];
  /** Files with weights beside the graph file. */
  readonly external: readonly string[];
  /** What its activations in 8 bits have a scale for, when they are quantized as it runs; absent without. */
  readonly quantization?: ActivationScales;
}

/** `per run`: what a request gets depends on the others in its run, as the export has it. */
export type ActivationScales = 'per row' | 'mixed' | 'per run';

/** What a mode would start here, if it can run the model. */
export interface InspectedMode {
  /** Whether `Troupe.start` would run it. */
  readonly ok: boolean;
  /** Why not, and what to do. */
  readonly reason?: string;
  /** The code that `Troupe.start` would fail with. */
  readonly code?: string;
  /** The actors it would start, a thread each. */
  readonly actors: readonly {
    /** Name of the pool; its actors are `pool/0`, `pool/1`… */
    readonly pool: string;
    /** Actors in it. */
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
  /** False: it runs as it came, and `reason` says why. */
  readonly rewritten: boolean;
  /** `split`: the cache is read in place; `kept`: it is joined inside the graph. Absent when not rewritten. */
  readonly attention?: RewrittenAttention;
  /** Where the rewritten graph is kept. */
  readonly path?: string;
  /** Why the decoder runs as it came. */
  readonly reason?: string;
}

/** What a model directory holds, and what an engine would make of it on this machine. */
export interface InspectReport {
  /** The model directory; of a model on the Hub that was not fetched, its name. */
  readonly path: string;
  /** False: only the heads of its files were read, and what needs the weights is not known. */
  readonly fetched: boolean;
  /** Cores that this process may use. */
  readonly cores: number;
  /** `model_type` of its config.json. */
  readonly modelType: string;
  /** Whether images have a graph of their own; without one only aggregated mode can run it. */
  readonly encoding: Encoding;
  /** The graphs that would be loaded. */
  readonly graphs: readonly InspectedGraph[];
  /** How images are cut and how many tokens they take. */
  readonly images: string;
  /** Layers, heads, widths, context length. */
  readonly geometry: ModelGeometry;
  /** Whether the decoder is rewritten for speed. */
  readonly decoder: InspectedDecoder;
  /** Memory of one actor for keys and values, as it would be planned now. */
  readonly kvCache: KvPlan;
  /** For each mode: whether it can run, and which actors it would start. */
  readonly modes: Readonly<Record<Mode, InspectedMode>>;
  /** Which of onnxruntime's providers start on this machine. */
  readonly devices: InspectedDevices;
}

/**
 * Reads a model without starting anything, and without fetching the weights of one on the Hub: what it holds, whether each mode can run it, and which actors and
 * threads it would start on this machine, and why.
 *
 * @param options those of `Troupe.start` that change the plan; `model` is the directory
 * @example
 * ```ts
 * import { inspectModel } from 'troupe';
 *
 * const { modelType, kvCache, modes } = await inspectModel({ model: './my-model' });
 * console.log(modelType, kvCache.kvCacheTokens, modes.aggregated.ok, modes.aggregated.reason);
 * ```
 * @throws InputError, ModelError as `Troupe.start` does, save that a mode that cannot run is only reported
 */
export async function inspectModel(options: TroupeOptions = {}): Promise<InspectReport> {
  assertOptions(options, 'Give an object with options of Troupe.start, or nothing');
  const config = resolveConfig(options);
  return await openModelFolder(
    config.model,
    { dtype: config.dtype },
    async (folder) => reportOn(await openModel({ ...config, model: folder }), options, config),
    async (name, settings) =>
      await withModelHeads(name, settings, config.dtype, async ({ folder, sizes }) => {
        const directory = await openModel({ ...config, model: folder, rewrites: false });
        return onHub(await reportOn(directory, options, config), nameOf(name), sizes);
      }),
  );
}

/** What was read from afar, as it is there. */
function onHub(report: InspectReport, path: string, sizes: ReadonlyMap<string, number>): InspectReport {
  const sizeOf = (file: string) => sizes.get(file.replaceAll('\\', '/')) ?? 0;
  const graphs = report.graphs.map((graph) => {
    const files = [graph.path, ...graph.external.map((name) => join(dirname(graph.path), name))];
    return { ...graph, bytes: files.reduce((sum, file) => sum + sizeOf(file), 0) };
  });
  const decoder = { rewritten: false, reason: 'its weights were not fetched' };
  return { ...report, path, fetched: false, graphs, decoder };
}

async function reportOn(
  directory: ModelDirectory,
  options: TroupeOptions,
  config: ResolvedConfig,
): Promise<InspectReport> {
  const { path, modelType, encoding, geometry } = directory;
  const graphs = await Promise.all(
    graphsOf(directory).map(([role, graph]) => inspectGraph(role, graph, path)),
  );
  const [aggregated, disaggregated] = MODES.map((mode) => inspectMode(mode, directory, options));
  if (aggregated === undefined || disaggregated === undefined) throw new Error('a mode is missing in MODES');
  const machine = thisMachine(directory, config);
  const actors = planThreads(config.mode, config.pools, machine).pd.count;
  return {
    path,
    fetched: true,
    cores: machine.cores,
    modelType,
    encoding,
    graphs,
    images: imagesOf(directory).summary,
    geometry,
    decoder: inspectDecoder(directory),
    kvCache: planKv(
      directory,
      { ...config, actors },
      Math.min(process.availableMemory(), config.memory.limitBytes),
    ),
    modes: { aggregated, disaggregated },
    devices: await inspectDevices(machine.weightBytes),
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
  const config = resolveConfig({ ...forMode, mode });
  const { pools, shareWeights } = config;
  const threads = planThreads(mode, pools, thisMachine(directory, config));
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
