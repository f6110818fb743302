/** Prompts as a model's graphs take them, made by the processor's own parts. */
import { readFile } from 'node:fs/promises';
import type { ChatMessage } from '../actors/generation.ts';
import { decodeImage } from '../actors/images/image-decode.ts';
import { atOnce } from '../actors/images/in-turns.ts';
import { openModelDirectory } from '../actors/open-model-directory.ts';
import { preparePrompt } from '../actors/processor/prepare-prompt.ts';
import { loadPromptModel, type PromptModel } from '../actors/processor/prompt-model.ts';
import type { ModelTask } from './peers/model-task.ts';

export class FamilyPrompts {
  readonly #model: PromptModel;

  private constructor(model: PromptModel) {
    this.#model = model;
  }

  static async for(path: string): Promise<FamilyPrompts> {
    return new FamilyPrompts(await loadPromptModel(await openModelDirectory(path)));
  }

  async taskOf(messages: readonly ChatMessage[], maxTokens: number): Promise<ModelTask> {
    const paths = messages.flatMap(({ content }) =>
      typeof content === 'string'
        ? []
        : content.flatMap((part) => (part.type === 'image' ? [String(part.image)] : [])),
    );
    const opened = await Promise.all(
      paths.map(async (path) => {
        const image = await decodeImage(await readFile(path), path);
        const plan = this.#model.images.plan(image);
        const pixels = new Float32Array(plan.shape.reduce((product, side) => product * side, 1));
        atOnce(plan.write(image, pixels));
        return { plan, pixels };
      }),
    );
    const plans = opened.map(({ plan }) => plan);
    const ids = [...preparePrompt(this.#model, messages, plans).promptIds];
    const [first] = plans;
    if (first === undefined) return { ids, maxTokens };
    const rows = plans.reduce((sum, { shape }) => sum + (shape[0] ?? 0), 0);
    const dims = [rows, ...first.shape.slice(1)];
    const grids = plans.flatMap(({ inputs }) => Object.values(inputs).map(({ values }) => values));
    const pixels = { data: opened.flatMap((image) => [...image.pixels]), dims: this.#dimsOf(dims) };
    return { ids, pixels, maxTokens, ...(grids.length === 0 ? {} : { grids }) };
  }

  /** With the dimension of images that some graphs have before that of tiles. */
  #dimsOf(dims: readonly number[]): readonly number[] {
    const { inputs } = this.#model.directory.graphs.vision?.signature ?? { inputs: [] };
    const declared = inputs.find(({ name }) => name === 'pixel_values')?.dims.length;
    return declared === dims.length + 1 ? [1, ...dims] : dims;
  }
}
