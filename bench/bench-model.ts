/** The generated model as the suites use it: made when needed, opened, with prompts of any length for it. */
import type { ModelDirectory } from '../actors/model/model-directory.ts';
import { Troupe, type TroupeOptions } from '../src/index.ts';
import { openModel } from '../src/inspect/load-model.ts';
import { generatedModel } from './generated-model/generate.ts';
import type { Precision } from './generated-model/precision.ts';
import { TransformersPeer } from './peers/transformers.ts';
import { PromptMaker } from './prompt-maker.ts';
import type { SuiteOptions } from './suite.ts';

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

  static async open({ attention, layers }: SuiteOptions, dtype: Precision): Promise<BenchModel> {
    const directory = await openModel({
      model: await generatedModel({ attention, layers }),
      dtype: dtype,
      promptTemplate: undefined,
    });
    const size = layers === undefined ? '256M shape' : `${layers} layers`;
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
