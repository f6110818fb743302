/**
 * The vision graph: pixels of image tiles → their embeddings, as the language model reads them.
 *
 *     inputs   pixel_values float32 [1, tiles, 3, height, width] (or [tiles, …], as the graph declares it)
 *              pixel_attention_mask bool [1, tiles, height, width], where the graph has it: all of a tile counts
 *     output   image_features float32 [tiles, tokensPerTile, hidden]
 */

import { ModelError } from '../errors.ts';
import type { GpuMemory } from '../inference/gpu/gpu-memory.ts';
import type { GraphSession, Tensors } from '../inference/graph-session.ts';
import { loadGraph } from '../inference/load-graph.ts';
import { Tensor } from '../inference/onnxruntime.ts';
import { floatData } from '../inference/ort-session.ts';
import { tryRuns } from '../inference/trial-runs.ts';
import type { ModelDirectory } from '../model/model-directory.ts';

export interface VisionEncoderOptions {
  /** Threads of one graph operator, the calling thread included; ≥ 1. */
  readonly threads: number;
  /** Runs the graph there. Default: on the CPU. */
  readonly gpu?: GpuMemory | undefined;
  /** Whether embeddings stay on the GPU: `encodeOnGpu` instead of `encode`. Default false. */
  readonly staysOnGpu?: boolean;
}

/** What the encoder needs to know of a model, beside its graph. */
export interface VisionGeometry {
  readonly tokensPerTile: number;
  readonly hidden: number;
}

/** `[tiles, 3, height, width]`. */
export type PixelShape = readonly [tiles: number, channels: number, height: number, width: number];

const CHANNELS = 3;
const PIXELS = 'pixel_values';
const MASK = 'pixel_attention_mask';
const KNOWN_INPUTS: ReadonlySet<string> = new Set([PIXELS, MASK]);

export class VisionEncoder {
  readonly #session: GraphSession;
  readonly #geometry: VisionGeometry;
  readonly #output: string;
  readonly #batched: boolean;
  /** Tiles that a run must have, where the graph fixes their number. */
  readonly fixedTiles: number | undefined;

  /** @throws TypeError when the graph's inputs or outputs are not those above */
  constructor(session: GraphSession, geometry: VisionGeometry) {
    const unknown = [...session.inputs.keys()].filter((name) => !KNOWN_INPUTS.has(name));
    if (unknown.length > 0) throw new TypeError(`unknown input ${unknown.join(', ')}`);
    const output = session.outputs.get('image_features') ?? [...session.outputs.values()][0];
    if (output?.type !== 'float32') throw new TypeError(`image_features is ${output?.type ?? 'missing'}`);
    this.#session = session;
    this.#geometry = geometry;
    this.#output = output.name;
    const shape = session.inputs.get(PIXELS)?.shape ?? [];
    this.#batched = shape.length === 5;
    const tiles = shape.at(-4);
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
    // The rewritten one is made for the CPU.
    const { rewrite: _, ...asItCame } = vision;
    const file = gpu?.device === 'webgpu' ? asItCame : vision;
    const session = await loadGraph(file, { threads, gpu, ...stays });
    try {
      const encoder = new VisionEncoder(session, {
        tokensPerTile: geometry.imageTokensPerTile,
        hidden: geometry.hiddenSize,
      });
      // On a GPU shaders are compiled for each shape: one says nothing about the others.
      if (gpu === undefined) await encoder.#try(geometry.tileSize);
      return encoder;
    } catch (error) {
      await session.release();
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

  /** What `encode` gives for so many tiles: how large a `target` must be. */
  outputShape(tiles: number): readonly [tiles: number, tokensPerTile: number, hidden: number] {
    return [tiles, this.#geometry.tokensPerTile, this.#geometry.hidden];
  }

  /** Number of floats in it. */
  outputLength(tiles: number): number {
    return tiles * this.#geometry.tokensPerTile * this.#geometry.hidden;
  }

  /**
   * Encodes the tiles of one image, or of several together: tiles do not see each other.
   *
   * @param pixels normalized, `shape` flat; may view shared memory
   * @param target where the graph writes its output, in place; may view shared memory. Default: a new array
   * @returns `[tiles, tokensPerTile, hidden]`, flat; `target` when given
   * @throws TroupeError `MODEL_RUN_FAILED` when the graph fails, also on a `target` of the wrong size
   */
  async encode(pixels: Float32Array, shape: PixelShape, target?: Float32Array): Promise<Float32Array> {
    const feeds = this.#feeds(pixels, shape);
    if (target === undefined)
      return floatData((await this.#session.run(feeds, [this.#output]))[this.#output]);
    const output = new Tensor('float32', target, this.outputShape(shape[0]));
    await this.#session.run(feeds, { [this.#output]: output });
    return target;
  }

  /**
   * The same, of an encoder whose embeddings stay on the GPU.
   * @returns `[tiles, tokensPerTile, hidden]`, which the caller disposes of
   */
  async encodeOnGpu(pixels: Float32Array, shape: PixelShape): Promise<Tensor> {
    const output = (await this.#session.run(this.#feeds(pixels, shape), [this.#output]))[this.#output];
    if (output === undefined) throw new TypeError(`${this.#output} is missing`);
    return output;
  }

  release(): Promise<void> {
    return this.#session.release();
  }

  async #try(side: number): Promise<void> {
    const shape: PixelShape = [this.fixedTiles ?? 1, CHANNELS, side, side];
    const pixels = new Float32Array(shape.reduce((product, size) => product * size, 1));
    // Once: on a large model a tile takes seconds.
    await tryRuns(() => this.encode(pixels, shape), 1);
  }

  #feeds(pixels: Float32Array, shape: PixelShape): Tensors {
    const [tiles, , height, width] = shape;
    const batch = this.#batched ? [1] : [];
    const feeds: Tensors = { [PIXELS]: new Tensor('float32', pixels, [...batch, ...shape]) };
    if (this.#session.inputs.has(MASK)) {
      const whole = new Uint8Array(tiles * height * width).fill(1);
      feeds[MASK] = new Tensor('bool', whole, [...batch, tiles, height, width]);
    }
    return feeds;
  }
}
