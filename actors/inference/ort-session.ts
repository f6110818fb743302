/**
 * A graph loaded into onnxruntime with this project's settings. One session belongs to one worker thread;
 * `run` is synchronous on that thread (onnxruntime-node has no asynchronous run on the CPU), so keep runs short. The
 * end of the process waits for what is being loaded, run or released.
 */
import { basename, dirname, join } from 'node:path';
import { types } from 'node:util';
import { inNative } from '../../runtime/thread/this-thread.ts';
import { gpuLost, gpuUnavailable, isGpuLoss, missingPiece } from './gpu/gpu-errors.ts';
import type { GpuMemory } from './gpu/gpu-memory.ts';
import type { GraphSession, TensorSpec, Tensors } from './graph-session.ts';
import { InferenceSession, type Tensor } from './onnxruntime.ts';
import { loadError, runError } from './ort-errors.ts';
import { pageInOnce } from './page-in.ts';
import { readWhole } from './read-whole.ts';
import { RunAllowance, sizeOf } from './run-allowance.ts';

/** Name of a file that holds an optimized graph with packed weights (see `packed-graph.ts`). */
export const PACKED_GRAPH = 'packed.onnx';
/** Of the file beside it that has them. */
export const PACKED_WEIGHTS_FILE = 'packed.weights';

/** Loading a graph from memory, ms, and ms a byte: ten times as long is allowed. On two idle cores it takes 2 to 4 s a GB. */
const LOAD_MS = 2_000;
const LOAD_MS_PER_BYTE = 5e-6;
/** A first run that has to read the weights again and again, for want of memory, is expected to take this and the reading, ms. */
const CROWDED_RUN_MS = 2_000;
/** Reading all weights in so many ms is what memory does. */
const CROWDED_READ_MS = 1_000;

export interface OrtSessionOptions {
  /** Threads of one operator, the calling thread included; ≥ 1. onnxruntime's own default oversubscribes. */
  readonly threads: number;
  /** Where the graph's external data is. Default: the graph's own folder. */
  readonly externalDataFolder?: string;
  /** Files with weights, relative to that folder, that are read and not mapped. Default: none. */
  readonly readWeights?: readonly string[];
  /** The graph is as onnxruntime has optimized it before. Default: where the file's name is `PACKED_GRAPH`. */
  readonly optimized?: boolean;
  /** Files with weights, relative to that folder, that are mapped. Default: not known. */
  readonly mappedWeights?: readonly string[];
  /** Runs the graph there instead of on the CPU. */
  readonly gpu?: GpuMemory | undefined;
  /** Outputs that stay on the GPU; they are then freed by `GpuMemory.dispose` alone. Default: none. */
  readonly staysOnGpu?: readonly string[];
}

/** A file, or a graph made here. */
export type GraphSource = string | Uint8Array;

export class OrtSession implements GraphSession {
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  readonly outputs: ReadonlyMap<string, TensorSpec>;
  readonly #path: string;
  readonly #session: InferenceSession;
  readonly #gpu: GpuMemory | undefined;
  readonly #allowance: RunAllowance;
  #released: Promise<void> | undefined;

  private constructor(
    path: string,
    session: InferenceSession,
    gpu: GpuMemory | undefined,
    firstMs: number | undefined,
  ) {
    this.#path = path;
    this.#session = session;
    this.#gpu = gpu;
    this.#allowance = new RunAllowance(firstMs);
    this.inputs = specsOf(session.inputMetadata);
    this.outputs = specsOf(session.outputMetadata);
  }

  /**
   * Loads a graph by path, never from a buffer: external data beside it resolves, and its pages are shared with
   * the other workers that load the same file. A graph that was made here, and has no weights, may be bytes.
   *
   * @throws ModelError `MODEL_FILE_MISSING`, `MODEL_FILE_CORRUPT` or `MODEL_UNSUPPORTED`
   * @throws TroupeError `GPU_UNAVAILABLE` when the GPU's provider does not start
   */
  static async load(source: GraphSource, options: OrtSessionOptions): Promise<OrtSession> {
    const path = typeof source === 'string' ? source : 'a graph made here';
    const { gpu, externalDataFolder = dirname(path), mappedWeights = [] } = options;
    try {
      const externalData = await weightsOf(externalDataFolder, options.readWeights);
      const settings = { ...sessionSettings(path, options), ...externalData };
      const mapped = mappedWeights.map((file) => join(externalDataFolder, file));
      const read = await pageInOnce(typeof source === 'string' ? [path, ...mapped] : []);
      const bytes = read.bytes + bytesOf(externalData);
      const session = await inNative(
        () =>
          typeof source === 'string'
            ? InferenceSession.create(source, settings)
            : InferenceSession.create(source, settings),
        LOAD_MS + LOAD_MS_PER_BYTE * bytes + read.ms,
      );
      const firstMs = gpu === undefined && read.ms > CROWDED_READ_MS ? CROWDED_RUN_MS + read.ms : undefined;
      return new OrtSession(path, session, gpu, firstMs);
    } catch (error) {
      if (gpu !== undefined && PROVIDER_FAILED.test(String(error))) {
        throw gpuUnavailable(gpu.device, missingPiece(String(error)), error);
      }
      throw loadError(path, error);
    }
  }

  /**
   * @throws TroupeError `MODEL_RUN_FAILED`; the session stays usable
   * @throws TroupeError `GPU_LOST`; no session on the GPU is usable any more
   */
  async run(feeds: Tensors, fetches: readonly string[] | Tensors): Promise<Tensors> {
    this.#gpu?.noteFeeds(feeds);
    const size = sizeOf(feeds);
    const startedAt = performance.now();
    try {
      const outputs = await inNative(
        () =>
          isNames(fetches) ? this.#session.run(feeds, fetches) : this.#session.run(feeds, { ...fetches }),
        this.#allowance.expectedMs(size),
      );
      this.#allowance.record(size, performance.now() - startedAt);
      this.#gpu?.noteOutputs(outputs);
      return outputs;
    } catch (error) {
      const failure = runError(this.#path, error);
      if (this.#gpu === undefined || !isGpuLoss(error)) throw failure;
      const lost = gpuLost(failure.message, error);
      this.#gpu.noteLost(lost);
      throw lost;
    }
  }

  /** Frees the native memory; safe to call twice. */
  release(): Promise<void> {
    this.#released ??= inNative(() => this.#session.release());
    return this.#released;
  }
}

interface ReadWeights {
  readonly externalData?: { readonly path: string; readonly data: Uint8Array }[];
}

function bytesOf({ externalData = [] }: ReadWeights): number {
  return externalData.reduce((sum, { data }) => sum + data.byteLength, 0);
}

/** Their bytes as onnxruntime takes them, which copies what it keeps. */
async function weightsOf(folder: string, files: readonly string[] = []): Promise<ReadWeights> {
  if (files.length === 0) return {};
  const read = async (path: string) => ({ path, data: await readWhole(join(folder, path)) });
  return { externalData: await Promise.all(files.map(read)) };
}

/** What onnxruntime says when it is the provider, not the graph. */
const PROVIDER_FAILED = /WebGPU|webgpu_context|CUDA|execution provider|providers_/i;

interface SessionSettings extends InferenceSession.SessionOptions {
  readonly extra: { readonly session: Readonly<Record<string, unknown>> };
}

/**
 * Between two operators onnxruntime's threads look for work this long before they sleep: waking them costs more than
 * most operators of a decode step. Its own default, some tens of milliseconds, takes the cores of the other actors;
 * the figures are in docs/architecture.md, Threads.
 */
export const SPINNING = { allow_spinning: '1', spin_duration_us: '20' } as const;

/** How every session of this project is made. */
export function sessionSettings(
  path: string,
  {
    threads,
    externalDataFolder,
    optimized = basename(path) === PACKED_GRAPH,
    gpu,
    staysOnGpu,
  }: OrtSessionOptions,
): SessionSettings {
  return {
    executionProviders: [gpu?.device ?? 'cpu'],
    ...(staysOnGpu === undefined
      ? {}
      : { preferredOutputLocation: Object.fromEntries(staysOnGpu.map((name) => [name, 'gpu-buffer'])) }),
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // What was optimized before it was saved runs as it is: another round could change its rounding.
    graphOptimizationLevel: optimized ? 'disabled' : 'all',
    // Shapes change at every step: a memory pattern per shape would only grow.
    enableMemPattern: false,
    // Failures come back as errors; onnxruntime's own copy of them on stderr tells nobody which request it was.
    logSeverityLevel: 4,
    extra: {
      session: {
        intra_op: SPINNING,
        ...(externalDataFolder === undefined
          ? {}
          : { model_external_initializers_file_folder_path: externalDataFolder }),
      },
    },
  };
}

function isNames(fetches: readonly string[] | Tensors): fetches is readonly string[] {
  return Array.isArray(fetches);
}

function specsOf(metadata: readonly InferenceSession.ValueMetadata[]): ReadonlyMap<string, TensorSpec> {
  const specs = new Map<string, TensorSpec>();
  for (const value of metadata) {
    // Sequences and maps are no tensors; no graph of the Hub layout has one.
    if (value.isTensor) specs.set(value.name, { name: value.name, type: value.type, shape: value.shape });
  }
  return specs;
}

/** The data of a float32 tensor, without a copy. @throws TypeError for another element type */
export function floatData(tensor: Tensor | undefined): Float32Array {
  if (types.isFloat32Array(tensor?.data)) return tensor.data;
  throw new TypeError(`Expected a float32 tensor, got ${tensor?.type ?? 'nothing'}`);
}
