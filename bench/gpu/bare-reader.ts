/** Pictures and a prompt to greedy tokens with bare graphs, one request after the other. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type InferenceSession, Tensor } from '../../actors/inference/onnxruntime.ts';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { mergeImages } from '../../actors/pd/runner/image-merge.ts';
import { floatsOf, outputOf } from '../bare/bare-cache.ts';
import type { BareDecoder } from '../bare/bare-decoder.ts';
import { openBareSession } from '../bare/bare-session.ts';
import { tileSideOf } from '../tile-side.ts';
import { mergeGraph, placesOf } from './merge-graph.ts';
import type { PicturePrompt } from './picture-prompts.ts';

export interface ReadAnswer {
  readonly tokens: readonly number[];
  /** From pixels and ids. */
  readonly firstTokenMs: number;
}

export abstract class BareReader {
  protected readonly directory: ModelDirectory;
  readonly #decoder: BareDecoder;

  constructor(directory: ModelDirectory, decoder: BareDecoder) {
    this.directory = directory;
    this.#decoder = decoder;
  }

  async read(prompt: PicturePrompt, maxTokens: number): Promise<ReadAnswer> {
    const { contextLength, eosTokenIds } = this.directory.geometry;
    const capacity = Math.min(prompt.ids.length + maxTokens, contextLength);
    const startedAt = performance.now();
    const embeds = await this.#decoder.embed(prompt.ids, 1);
    const merged = prompt.tiles === 0 ? embeds : await this.merged(embeds, prompt);
    let next = await this.#decoder.prefillEmbedded(merged, capacity);
    if (merged.location === 'gpu-buffer') merged.dispose();
    const firstTokenMs = performance.now() - startedAt;
    const tokens: number[] = [];
    for (let token = next[0] ?? 0; !eosTokenIds.includes(token); token = next[0] ?? 0) {
      tokens.push(token);
      if (tokens.length === maxTokens || prompt.ids.length + tokens.length >= contextLength) break;
      next = await this.#decoder.step(next);
    }
    return { tokens, firstTokenMs };
  }

  /** The embeddings with the features of the prompt's images in their places. */
  protected abstract merged(embeds: Tensor, prompt: PicturePrompt): Promise<Tensor>;

  protected pixelFeeds(session: InferenceSession, { pixels, tiles }: PicturePrompt): Record<string, Tensor> {
    const side = tileSideOf(this.directory);
    const [input = 'pixel_values'] = session.inputNames;
    return { [input]: new Tensor('float32', pixels, [1, tiles, 3, side, side]) };
  }
}

/** Features are fetched into the host's memory, merged there, and uploaded with the prompt where that is needed. */
export class FetchingReader extends BareReader {
  readonly #vision: InferenceSession;

  constructor(directory: ModelDirectory, vision: InferenceSession, decoder: BareDecoder) {
    super(directory, decoder);
    this.#vision = vision;
  }

  protected async merged(embeds: Tensor, prompt: PicturePrompt): Promise<Tensor> {
    const { imageTokenId, hiddenSize } = this.directory.geometry;
    const outputs = await this.#vision.run(this.pixelFeeds(this.#vision, prompt));
    const data = floatsOf(outputOf(outputs, 'image_features'));
    mergeImages(floatsOf(embeds), prompt.ids, imageTokenId, hiddenSize, [
      { hash: '', shape: [], tokens: data.length / hiddenSize, inputs: {}, data, release: () => undefined },
    ]);
    return embeds;
  }
}

/** Features never leave the GPU: they are merged there by a graph of two nodes. */
export class KeepingReader extends BareReader {
  readonly #vision: InferenceSession;
  readonly #merge: InferenceSession;

  private constructor(
    directory: ModelDirectory,
    decoder: BareDecoder,
    vision: InferenceSession,
    merge: InferenceSession,
  ) {
    super(directory, decoder);
    this.#vision = vision;
    this.#merge = merge;
  }

  static async open(directory: ModelDirectory, decoder: BareDecoder): Promise<KeepingReader> {
    const { vision } = directory.graphs;
    if (vision === undefined) throw new Error(`${directory.path} has no vision graph`);
    const folder = await mkdtemp(join(tmpdir(), 'troupe-merge-'));
    try {
      const path = join(folder, 'merge.onnx');
      await writeFile(path, mergeGraph(directory.geometry.hiddenSize));
      const kept = (name: string) => ({ provider: 'webgpu' as const, kept: [name] });
      return new KeepingReader(
        directory,
        decoder,
        await openBareSession(vision, 1, kept('image_features')),
        await openBareSession({ path }, 1, kept('merged')),
      );
    } finally {
      await rm(folder, { recursive: true });
    }
  }

  protected async merged(embeds: Tensor, prompt: PicturePrompt): Promise<Tensor> {
    const outputs = await this.#vision.run(this.pixelFeeds(this.#vision, prompt));
    const features = outputOf(outputs, 'image_features');
    const places = placesOf(prompt.ids, this.directory.geometry.imageTokenId);
    const { merged } = await this.#merge.run({
      inputs_embeds: embeds,
      places: new Tensor('int64', places, [places.length / 2, 2]),
      image_features: features,
    });
    features.dispose();
    if (merged === undefined) throw new Error('the merge graph gave nothing');
    return merged;
  }
}
