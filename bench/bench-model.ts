/** The generated model as the suites use it: made when needed, opened, with prompts of any length for it. */
import type { ModelDirectory } from '../actors/model/model-directory.ts';
import { Troupe, type TroupeOptions } from '../src/index.ts';
import { openModel } from '../src/inspect/load-model.ts';
import { openEmbeddedModel } from './embedded-model.ts';
import { generatedModel } from './generated-model/generate.ts';
import type { Precision } from './generated-model/precision.ts';
import { DEFAULT_LAYERS, type ShapeName } from './generated-model/shapes.ts';
import { type Effort, longCalls } from './measure.ts';
import { TransformersPeer } from './peers/transformers.ts';
import { PromptMaker } from './prompt-maker.ts';
import type { SuiteOptions } from './suite.ts';

/** What suites on the graphs of the embedded model run on where a shape is asked for. */
export async function graphsModel(options: SuiteOptions): Promise<{
  readonly directory: ModelDirectory;
  readonly title: string;
  readonly effort: Effort | undefined;
}> {
  if (options.shape === undefined) {
    return { directory: await openEmbeddedModel(), title: '', effort: undefined };
  }
  const { directory, label } = await BenchModel.open(options, options.dtype ?? 'q4');
  return { directory, title: `, ${label}`, effort: longCalls(options) };
}

export class BenchModel {
  readonly directory: ModelDirectory;
  readonly dtype: Precision;
  readonly prompts: PromptMaker;
  /** What figures are labelled with. */
  readonly label: string;

  private constructor(directory: ModelDirectory, dtype: Precision, prompts: PromptMaker, label: string) {
    this.directory = directory;
    this.dtype = dtype;
    this.prompts = prompts;
    this.label = label;
  }

  static async open({ shape, attention, layers }: SuiteOptions, dtype: Precision): Promise<BenchModel> {
    const directory = await openModel({
      model: await generatedModel({
        shape,
        attention,
        layers,
        // The larger shapes take gigabytes.
        ...(shape === undefined ? {} : { precisions: [dtype] }),
      }),
      dtype: dtype,
      promptTemplate: undefined,
    });
    const size = labelOf(shape, layers);
    return new BenchModel(
      directory,
      dtype,
      await PromptMaker.for(directory),
      `${size}, ${dtype}, ${attention}`,
    );
  }

  startTroupe(options: TroupeOptions = {}): Promise<Troupe> {
    return Troupe.start({ ...options, model: this.directory.path, dtype: this.dtype });
  }

  startTransformers(): Promise<TransformersPeer> {
    return TransformersPeer.start(this.directory.path, this.dtype);
  }
}

function labelOf(shape: ShapeName | undefined, layers: number | undefined): string {
  if (shape !== undefined) return `${shape}, ${layers ?? DEFAULT_LAYERS[shape]} layers`;
  return layers === undefined ? '256M shape' : `${layers} layers`;
}
