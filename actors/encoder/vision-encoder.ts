/**
 * The vision graph: pixels of images → their embeddings, as the language model reads them.
 *
 *     inputs   pixel_values float32 [parts, …] as the plan of the image has it, or [1, parts, …] as the graph declares it
 *              pixel_attention_mask bool [1, tiles, height, width], where the graph has it: all of a tile counts
 *              further ones that the family's plans name, int64 (image_grid_thw, …)
 *     outputs  image_features float32 [parts, tokens of a part, hidden] or [tokens, hidden]
 *              deepstack_features.N float32, of the same shape, where the graph has them (Qwen3-VL)
 */

import { isErrorNamed } from '../../runtime/util/realms.ts';
import { ModelError } from '../errors.ts';
import { imagesOf } from '../families/registry.ts';
import type { GpuMemory } from '../inference/gpu/gpu-memory.ts';
import type { GraphSession } from '../inference/graph-session.ts';
import { type ImageInputs, imageFeeds, PIXEL_MASK, PIXELS } from '../inference/image-tensor.ts';
import { loadGraph } from '../inference/load-graph.ts';
import { Tensor } from '../inference/onnxruntime.ts';
import { tryRuns } from '../inference/trial-runs.ts';
import type { WideRuns } from '../inference/wide-runs.ts';
import { deepstackNames } from '../model/deepstack.ts';
import type { GraphFile } from '../model/graph-files.ts';
import type { ModelDirectory } from '../model/model-directory.ts';
import { webGpuVision } from '../model/rewrite/webgpu-vision.ts';

export interface VisionEncoderOptions {
  /** Threads of one graph operator, the calling thread included; ≥ 1. */
  readonly threads: number;
  /** Runs the graph there. Default: on the CPU. */
  readonly gpu?: GpuMemory | undefined;
  /** More threads, at times; used on the CPU. */
  readonly wide?: WideRuns | undefined;
  /** Whether embeddings stay on the GPU: `encodeOnGpu` instead of `encode`. Default false. */
  readonly staysOnGpu?: boolean;
}

/** What the encoder needs to know of a model, beside its graph. */
export interface VisionGeometry {
  readonly hidden: number;
  /** Inputs beside the pixels that image plans fill. */
  readonly imageInputs: readonly string[];
  /** Whether several images that are encoded as a whole may share a run. */
  readonly joinsImages: boolean;
}

/** The graph on more threads, and whether these are free now. */
type WideSession = Pick<WideRuns, 'isNow'> & { readonly session: GraphSession };

/** Images, or parts of one, for a run of the graph. */
export interface VisionFeed extends ImageInputs {
  /** Parts that do not see each other; see `ImagePlan`. */
  readonly parts: number;
  /** Rows of the embedding. */
  readonly tokens: number;
}

const FEATURES = 'image_features';

export class VisionEncoder {
  readonly #session: GraphSession;
  readonly #wide: WideSession | undefined;
  readonly #geometry: VisionGeometry;
  /** `image_features`, and the layers that are added later. */
  readonly #outputs: readonly string[];
  readonly #rank: number;
  /** Tiles that a run must have, where the graph fixes their number. */
  readonly fixedTiles: number | undefined;

  /** @throws TypeError when the graph's inputs or outputs are not those above */
  constructor(session: GraphSession, geometry: VisionGeometry, wide?: WideSession) {
    const known = new Set([PIXELS, PIXEL_MASK, ...geometry.imageInputs]);
    const unknown = [...session.inputs.keys()].filter((name) => !known.has(name));
    if (unknown.length > 0) throw new TypeError(`unknown input ${unknown.join(', ')}`);
    const output = session.outputs.get(FEATURES) ?? [...session.outputs.values()][0];
    if (output?.type !== 'float32') throw new TypeError(`${FEATURES} is ${output?.type ?? 'missing'}`);
    this.#session = session;
    this.#wide = wide;
    this.#geometry = geometry;
    this.#outputs = [output.name, ...deepstackNames(session.outputs.keys())];
    this.#rank = output.shape.length;
    const tiles = session.inputs.get(PIXELS)?.shape.at(-4);
    this.fixedTiles = typeof tiles === 'number' && tiles > 0 ? tiles : undefined;
  }

  /** @throws ModelError when the model has no vision graph, or one that cannot be used */
  static async load(directory: ModelDirectory, options: VisionEncoderOptions): Promise<VisionEncoder> {
    const { vision } = directory.graphs;
    const { path, geometry } = directory;
    if (vision === undefined) {
      const remedy = 'Run this model in aggregated mode: its decoder encodes images itself';
      throw new ModelError('MODEL_UNSUPPORTED', 'The model has no vision graph', { path, remedy });
    }
    const { threads, gpu } = options;
    const outputs = vision.signature.outputs.map(({ name }) => name);
    const stays = options.staysOnGpu ? { staysOnGpu: outputs } : {};
    // The one rewritten at start is made for the CPU.
    const { rewrite: _, ...asItCame } = vision;
    const file =
      gpu?.device === 'webgpu'
        ? {
            ...asItCame,
            ...(await webGpuVision({ modelPath: path, path: vision.path }, vision.signature)),
          }
        : vision;
    const session = await loadGraph(file, { threads, gpu, ...stays });
    let wide: WideSession | undefined;
    try {
      wide = gpu === undefined ? await wideSession(file, options.wide) : undefined;
      const encoder = new VisionEncoder(session, { ...geometry, hidden: geometry.hiddenSize }, wide);
      if (gpu?.device === 'webgpu') await tryOnGpu(encoder, directory, gpu, options);
      // Once: on a large model a tile takes seconds. On other GPUs kernels differ by shape: one says nothing of the others.
      else if (gpu === undefined) {
        const feed = trialFeed(encoder, directory);
        await tryRuns(() => encodeTrial(encoder, feed), 1);
      }
      return encoder;
    } catch (error) {
      await session.release();
      await wide?.session.release();
      if (!isErrorNamed(error, 'TypeError')) throw error;
      const remedy = 'Use an export of the Hub layout: pixel_values to image_features, float32';
      const facts = { path: vision.path, remedy };
      throw new ModelError(
        'MODEL_UNSUPPORTED',
        `The vision graph is of an unknown kind (${error})`,
        facts,
        error,
      );
    }
  }

  /** Embeddings of one token: 1, and more for models that add some behind decoder layers. */
  get layers(): number {
    return this.#outputs.length;
  }

  /** What `encode` gives for an image of so many tokens: how large a `target` must be. */
  outputShape(tokens: number): readonly [layers: number, tokens: number, hidden: number] {
    return [this.layers, tokens, this.#geometry.hidden];
  }

  /** Whether several images that are encoded as a whole may share a run. */
  get joinsImages(): boolean {
    return this.#geometry.joinsImages;
  }

  /**
   * Encodes one image, parts of it, or several images together.
   *
   * @param target `[tokens, hidden]` for each layer, flat; may view shared memory. The graph writes there in place
   * @throws TroupeError `MODEL_RUN_FAILED` when the graph fails, also on a `target` of the wrong size
   */
  async encode(feed: VisionFeed, targets: readonly Float32Array[]): Promise<void> {
    const dims = this.#outputDims(feed);
    const outputs = this.#outputs.map((name, layer) => {
      const target = targets[layer];
      if (target === undefined) throw new TypeError(`no room for ${name}`);
      return [name, new Tensor('float32', target, dims)] as const;
    });
    const session = this.#wide?.isNow() === true ? this.#wide.session : this.#session;
    await session.run(imageFeeds(session, feed), Object.fromEntries(outputs));
  }

  /**
   * The same, of an encoder whose embeddings stay on the GPU.
   * @returns what stands in the place of image tokens, `[tokens, hidden]` or in parts, which the caller disposes of
   */
  async encodeOnGpu(feed: VisionFeed): Promise<Tensor> {
    const [first = FEATURES] = this.#outputs;
    const output = (await this.#session.run(imageFeeds(this.#session, feed), [first]))[first];
    if (output === undefined) throw new TypeError(`${first} is missing`);
    return output;
  }

  async release(): Promise<void> {
    await this.#session.release();
    await this.#wide?.session.release();
  }

  #outputDims({ parts, tokens }: VisionFeed): readonly number[] {
    const { hidden } = this.#geometry;
    return this.#rank === 2 ? [tokens, hidden] : [parts, tokens / parts, hidden];
  }
}

async function wideSession(file: GraphFile, wide: WideRuns | undefined): Promise<WideSession | undefined> {
  if (wide === undefined) return undefined;
  return { session: await loadGraph(file, { threads: wide.threads }), isNow: () => wide.isNow() };
}

/** A multiple of 28 and of 32: models that resize nothing take it too. */
const TRIAL_SIDE = 224;
const GREY = 0.5;

/** A part of a small image, or as many as the graph wants in a run. */
function trialFeed({ fixedTiles = 1 }: VisionEncoder, directory: ModelDirectory): VisionFeed {
  const plan = imagesOf(directory).plan({ width: TRIAL_SIDE, height: TRIAL_SIDE });
  const [rows = 0, ...rest] = plan.shape;
  const shape = [(fixedTiles * rows) / plan.parts, ...rest];
  // Grey: some graphs leave out tiles that are all zeros, which stand for none.
  const pixels = new Float32Array(shape.reduce((product, side) => product * side, 1)).fill(GREY);
  const tokens = (fixedTiles * plan.tokens) / plan.parts;
  return { pixels, shape, parts: fixedTiles, tokens, inputs: plan.inputs };
}

async function encodeTrial(encoder: VisionEncoder, feed: VisionFeed): Promise<void> {
  const [layers, tokens, hidden] = encoder.outputShape(feed.tokens);
  const targets = Array.from({ length: layers }, () => new Float32Array(tokens * hidden));
  await encoder.encode(feed, targets);
}

/**
 * Not every operator is there on a GPU in all its forms, which shows when it is run. A part of a small image is tried, so that
 * such a graph is refused at start, and not in each request.
 */
async function tryOnGpu(
  encoder: VisionEncoder,
  directory: ModelDirectory,
  gpu: GpuMemory,
  { staysOnGpu }: VisionEncoderOptions,
): Promise<void> {
  const feed = trialFeed(encoder, directory);
  try {
    if (staysOnGpu) gpu.dispose([await encoder.encodeOnGpu(feed)]);
    else await encodeTrial(encoder, feed);
    gpu.forgetTraffic();
  } catch (error) {
    if (gpu.lost !== undefined) throw error;
    const remedy = 'Run this model on the CPU: device cpu';
    const facts = { path: directory.graphs.vision?.path ?? directory.path, remedy };
    const problem = `The vision graph cannot be run on this GPU (${reasonOf(error)})`;
    throw new ModelError('MODEL_UNSUPPORTED', problem, facts, error);
  }
}

/** One line. */
function reasonOf(error: unknown): string {
  return String(error).replaceAll(/\s+/g, ' ');
}
