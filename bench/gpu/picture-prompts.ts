/** Requests about pictures as the graphs take them: token ids and pixels, made by the processor's own parts. */
import { readFile } from 'node:fs/promises';
import { decodeImage } from '../../actors/images/image-decode.ts';
import { atOnce } from '../../actors/images/in-turns.ts';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { preparePrompt } from '../../actors/processor/prepare-prompt.ts';
import { loadPromptModel, type PromptModel } from '../../actors/processor/prompt-model.ts';
import type { PeerRequest } from '../peers/peer-request.ts';

export interface PicturePrompt {
  readonly ids: Int32Array;
  /** `[tiles, 3, side, side]` of all images, in the order of the prompt. */
  readonly pixels: Float32Array;
  readonly tiles: number;
}

export class PicturePrompts {
  readonly #model: PromptModel;

  private constructor(model: PromptModel) {
    this.#model = model;
  }

  static async for(directory: ModelDirectory): Promise<PicturePrompts> {
    return new PicturePrompts(await loadPromptModel(directory));
  }

  async promptOf({ messages }: PeerRequest): Promise<PicturePrompt> {
    const { images: family } = this.#model;
    const paths = messages.flatMap(({ content }) =>
      content.flatMap((part) => (part.type === 'image' ? [part.image] : [])),
    );
    const images = await Promise.all(paths.map(async (path) => decodeImage(await readFile(path), path)));
    const opened = images.map((image) => ({ image, plan: family.plan(image) }));
    const tiles = opened.reduce((sum, { plan }) => sum + plan.parts, 0);
    const lengths = opened.map(({ plan }) => plan.shape.reduce((product, side) => product * side, 1));
    const pixels = new Float32Array(lengths.reduce((sum, length) => sum + length, 0));
    let written = 0;
    for (const [index, { image, plan }] of opened.entries()) {
      const end = written + (lengths[index] ?? 0);
      atOnce(plan.write(image, pixels.subarray(written, end)));
      written = end;
    }
    const plans = opened.map(({ plan }) => plan);
    return { ids: preparePrompt(this.#model, messages, plans).promptIds, pixels, tiles };
  }
}
