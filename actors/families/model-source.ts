/** What a family may look at when it reads a model directory: its JSON files, each by a schema of the family's own. */
import { basename, join } from 'node:path';
import type * as z from 'zod';
import { ModelError } from '../errors.ts';
import type { GenerationConfig } from '../model/model-config.ts';
import type { ModelGraphs } from '../model/model-directory.ts';
import { checkJson, missingFile } from '../model/model-files.ts';
import type { TensorSignature } from '../model/onnx/graph-signature.ts';
import type { TokenIds } from '../model/token-ids.ts';

export interface ModelSourceParts {
  /** The model directory, absolute. */
  readonly path: string;
  readonly graphs: ModelGraphs;
  readonly generationConfig: GenerationConfig;
  /** config.json, parsed. */
  readonly config: unknown;
  /** preprocessor_config.json, or the part of processor_config.json that newer exports keep it in; null without. */
  readonly preprocessor: { readonly file: string; readonly value: unknown } | null;
  /** processor_config.json; an empty object without. */
  readonly processor: unknown;
  /** Ids of the family's `tokens`, and of `eosToken` where generation_config.json says no id, as far as they are known. */
  readonly tokenIds?: TokenIds;
  /** `eos_token` of tokenizer_config.json. */
  readonly eosToken?: string | null | undefined;
}

export class ModelSource {
  readonly path: string;
  readonly graphs: ModelGraphs;
  readonly generationConfig: GenerationConfig;
  /** See `ModelSourceParts`. */
  readonly tokenIds: TokenIds;
  readonly eosToken: string | null;
  readonly #parts: ModelSourceParts;

  constructor(parts: ModelSourceParts) {
    this.path = parts.path;
    this.graphs = parts.graphs;
    this.generationConfig = parts.generationConfig;
    this.tokenIds = parts.tokenIds ?? {};
    this.eosToken = parts.eosToken ?? null;
    this.#parts = parts;
  }

  /** An input of the graph that encodes images. */
  imageInput(wanted: string): TensorSignature | undefined {
    return (this.graphs.vision ?? this.graphs.decoder).signature.inputs.find(({ name }) => name === wanted);
  }

  /** Whether the image processor's settings are inside processor_config.json, where transformers 5 keeps them. */
  get preprocessorIsInside(): boolean {
    return basename(this.#parts.preprocessor?.file ?? '') === 'processor_config.json';
  }

  /** config.json. @throws ModelError MODEL_FILE_CORRUPT */
  config<S extends z.ZodType>(schema: S): z.infer<S> {
    return checkJson(this.#parts.config, schema, join(this.path, 'config.json'));
  }

  /** processor_config.json, which may be absent. @throws ModelError MODEL_FILE_CORRUPT */
  processor<S extends z.ZodType>(schema: S): z.infer<S> {
    return checkJson(this.#parts.processor, schema, join(this.path, 'processor_config.json'));
  }

  /**
   * The image processor's settings. One of another family would pass with defaults in the place of what it says, so its
   * type is asked for.
   *
   * @param types what `image_processor_type` or `feature_extractor_type` may be, without an ending of `Fast` or `Pil`;
   *   files that do not say it are taken by the schema alone
   * @throws ModelError MODEL_FILE_MISSING, MODEL_FILE_CORRUPT, MODEL_UNSUPPORTED
   */
  preprocessor<S extends z.ZodType>(schema: S, types: readonly string[]): z.infer<S> {
    const found = this.#parts.preprocessor;
    if (found === null) throw missingFile(join(this.path, 'preprocessor_config.json'));
    const type = typeOf(found.value);
    if (type !== undefined && !types.includes(type.replace(/(Fast|Pil)$/, ''))) {
      const remedy = `Use the preprocessor configuration that came with this model: ${types.join(' or ')}.`;
      throw new ModelError('MODEL_UNSUPPORTED', `The image processor is ${type}, of another family`, {
        path: found.file,
        remedy,
      });
    }
    return checkJson(withoutNulls(found.value), schema, found.file);
  }
}

/** For an image processor null is as good as nothing said: the default of its class. */
function withoutNulls(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).filter(([, one]) => one !== null));
}

function typeOf(value: unknown): string | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const named = Object.entries(value).find(
    ([key, type]) =>
      (key === 'image_processor_type' || key === 'feature_extractor_type') && typeof type === 'string',
  );
  return typeof named?.[1] === 'string' ? named[1] : undefined;
}
