/** Requests about pictures as the graphs take them: token ids and pixels, made by the processor's own parts. */
import { readFile } from 'node:fs/promises';
import { Idefics3ImageProcessor } from '../../actors/families/idefics3/image-processor.ts';
import { findFamily } from '../../actors/families/registry.ts';
import { decodeImage } from '../../actors/images/image-decode.ts';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { PromptEncoder } from '../../actors/model/prompt-encoder.ts';
import { TextTokenizer } from '../../actors/model/tokenizer.ts';
import { type PromptModel, preparePrompt } from '../../actors/processor/prepare-prompt.ts';
import type { PeerRequest } from '../peers/peer-request.ts';

export interface PicturePrompt {
  readonly ids: Int32Array;
  /** `[tiles, 3, side, side]` of all images, in the order of the prompt. */
  readonly pixels: Float32Array;
  readonly tiles: number;
}

export class PicturePrompts {
  readonly #model: PromptModel;
  readonly #images: Idefics3ImageProcessor;

  private constructor(model: PromptModel) {
    this.#model = model;
    this.#images = new Idefics3ImageProcessor(model.directory.preprocessorConfig);
  }

  static async for(directory: ModelDirectory): Promise<PicturePrompts> {
    const family = findFamily(directory.modelType, directory.path);
    const encoder = new PromptEncoder(
      directory,
      await TextTokenizer.load(directory),
      family.imagePlaceholder,
    );
    return new PicturePrompts({ directory, family, encoder });
  }

  async promptOf({ messages }: PeerRequest): Promise<PicturePrompt> {
    const { directory, family } = this.#model;
    const paths = messages.flatMap(({ content }) =>
      content.flatMap((part) => (part.type === 'image' ? [part.image] : [])),
    );
    const images = await Promise.all(paths.map(async (path) => decodeImage(await readFile(path), path)));
    const opened = images.map((image) => ({ image, plan: family.planImage(directory, image) }));
    const tiles = opened.reduce((sum, { plan }) => sum + plan.tiles, 0);
    const tileLength = 3 * directory.geometry.tileSize ** 2;
    const pixels = new Float32Array(tiles * tileLength);
    let written = 0;
    for (const { image, plan } of opened) {
      const end = written + plan.tiles * tileLength;
      this.#images.write(image, plan, pixels.subarray(written, end));
      written = end;
    }
    const plans = opened.map(({ plan }) => plan);
    return { ids: preparePrompt(this.#model, messages, plans).promptIds, pixels, tiles };
  }
}
