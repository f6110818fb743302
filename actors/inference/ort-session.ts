/**
 * A graph loaded into onnxruntime with this project's settings. One session belongs to one worker thread;
 * `run` is synchronous on that thread (onnxruntime-node has no asynchronous run on the CPU), so keep runs short.
 */
import { basename } from 'node:path';
import { InferenceSession, type Tensor } from 'onnxruntime-node';
import type { GraphSession, TensorSpec, Tensors } from './graph-session.ts';
import { loadError, runError } from './ort-errors.ts';

/** Name of a file that holds an optimized graph with packed weights (see `packed-graph.ts`). */
export const PACKED_GRAPH = 'packed.onnx';

export interface OrtSessionOptions {
  /** Threads of one operator, the calling thread included; ≥ 1. onnxruntime's own default oversubscribes. */
  readonly threads: number;
  /** Where the graph's external data is. Default: the graph's own folder. */
  readonly externalDataFolder?: string;
}

export class OrtSession implements GraphSession {
  readonly inputs: ReadonlyMap<string, TensorSpec>;
  readonly outputs: ReadonlyMap<string, TensorSpec>;
  readonly #path: string;
  readonly #session: InferenceSession;
  #released: Promise<void> | undefined;

  private constructor(path: string, session: InferenceSession) {
    this.#path = path;
    this.#session = session;
    this.inputs = specsOf(session.inputMetadata);
    this.outputs = specsOf(session.outputMetadata);
  }

  /**
   * Loads a graph by path, never from a buffer: external data beside it resolves, and its pages are shared with
   * the other workers that load the same file.
   *
   * @throws ModelError `MODEL_FILE_MISSING`, `MODEL_FILE_CORRUPT` or `MODEL_UNSUPPORTED`
   */
  static async load(path: string, options: OrtSessionOptions): Promise<OrtSession> {
    try {
      return new OrtSession(path, await InferenceSession.create(path, sessionSettings(path, options)));
    } catch (error) {
      throw loadError(path, error);
    }
  }

  /** @throws TroupeError `MODEL_RUN_FAILED`; the session stays usable */
  async run(feeds: Tensors, fetches: readonly string[] | Tensors): Promise<Tensors> {
    try {
      return isNames(fetches)
        ? await this.#session.run(feeds, fetches)
        : await this.#session.run(feeds, { ...fetches });
    } catch (error) {
      throw runError(this.#path, error);
    }
  }

  /** Frees the native memory; safe to call twice. */
  release(): Promise<void> {
    this.#released ??= this.#session.release();
    return this.#released;
  }
}

interface SessionSettings extends InferenceSession.SessionOptions {
  readonly extra: { readonly session: Readonly<Record<string, unknown>> };
}

/** How every session of this project is made. */
export function sessionSettings(
  path: string,
  { threads, externalDataFolder }: OrtSessionOptions,
): SessionSettings {
  return {
    executionProviders: ['cpu'],
    intraOpNumThreads: threads,
    interOpNumThreads: 1,
    // What was optimized before it was saved runs as it is: another round could change its rounding.
    graphOptimizationLevel: basename(path) === PACKED_GRAPH ? 'disabled' : 'all',
    // Shapes change at every step: a memory pattern per shape would only grow.
    enableMemPattern: false,
    // Failures come back as errors; onnxruntime's own copy of them on stderr tells nobody which request it was.
    logSeverityLevel: 4,
    // Threads that spin while they wait for work take the cores of the other actors.
    extra: {
      session: {
        intra_op: { allow_spinning: '0' },
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
  if (tensor?.data instanceof Float32Array) return tensor.data;
  throw new TypeError(`Expected a float32 tensor, got ${tensor?.type ?? 'nothing'}`);
}
