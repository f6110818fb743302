/** What an opened model directory is made of. */

import type { FileStamp } from './file-stamps.ts';
import type { ModelGeometry } from './geometry.ts';
import type { DtypeChoice, GraphFile, GraphRole } from './graph-files.ts';
import type { GenerationConfig, TokenizerConfig } from './model-config.ts';
import type { GraphSignature } from './onnx/graph-signature.ts';
import type { PromptProducts } from './prompt-products.ts';
import type { DecoderRewrite, DecoderToRewrite } from './rewrite/rewritten-decoder.ts';
import type { GraphToRewrite } from './rewrite/rewritten-graph.ts';
import type { PromptsRewrite } from './rewrite/rewritten-prompts.ts';
import type { VisionRewrite } from './rewrite/rewritten-vision.ts';
import type { TokenIds, TokensToFind } from './token-ids.ts';

export type { GraphFile } from './graph-files.ts';

/** What JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [key: string]: JsonValue };

/** Where images become embeddings: in a graph of their own, or inside the decoder's graph. */
export type Encoding = 'separate' | 'integrated';

export interface ModelGraphs {
  /** `pixel_values` → `image_features`; absent with integrated encoding. */
  readonly vision?: VisionFile;
  /** `input_ids` → `inputs_embeds`; may be absent with integrated encoding. */
  readonly embed?: GraphFile;
  readonly decoder: DecoderFile;
  /** The decoder for prompts alone, where they have products of their own. Derived: a file of the graph cache. */
  readonly prompts?: GraphFile;
}

/** A graph that actors load: one of the model's, or one that was derived from it. */
export type LoadedGraph = GraphRole | 'prompts';

/** A graph that may be run in another form than its file's. */
export interface RewritableGraph<Rewrite = VisionRewrite> extends GraphFile {
  /** What it was rewritten to, or why it was not; absent when nobody tried. It then runs as it is. */
  readonly rewrite?: Rewrite;
}

export type VisionFile = RewritableGraph<VisionRewrite>;
export type DecoderFile = RewritableGraph<DecoderRewrite>;

/** How graphs are rewritten. */
export interface GraphRewriters {
  decoder(graph: DecoderToRewrite): Promise<DecoderRewrite>;
  vision(graph: GraphToRewrite): Promise<VisionRewrite>;
  /** The decoder, for `promptProducts`. */
  prompts(graph: DecoderToRewrite): Promise<PromptsRewrite>;
}

export interface ModelDirectory {
  /** Absolute. */
  readonly path: string;
  readonly modelType: string;
  readonly encoding: Encoding;
  readonly graphs: ModelGraphs;
  readonly geometry: ModelGeometry;
  /** What the family reads images and prompts by. */
  readonly settings: JsonValue;
  readonly generationConfig: GenerationConfig;
  readonly tokenizerConfig: TokenizerConfig;
  /** Path of `tokenizer.json`, read where it is used: it can be large. */
  readonly tokenizerPath: string;
  /** Source of the Jinja template that prompts are rendered by. */
  readonly chatTemplate: string;
  /** What the files were that actors read, when they were opened. */
  readonly stamps: readonly FileStamp[];
}

export interface OpenModelOptions {
  /** Precision of the graphs. Default: for each graph the first present of fp32, q4, q8, int8, uint8, fp16, q4f16, bnb4. */
  readonly dtype?: DtypeChoice;
  /** How a graph file is read, to do it in another thread. Default: in this one. */
  readonly readSignature?: (path: string) => Promise<GraphSignature>;
  /** How ids of tokens are found in `tokenizer.json`, to do it in another thread. Default: in this one. */
  readonly findTokens?: (tokens: TokensToFind) => Promise<TokenIds>;
  /** A prompt template in the place of the model's chat template; see `prompt-template.ts`. */
  readonly promptTemplate?: string | undefined;
  /** How graphs are rewritten, to do it in another thread. Default: they are not. */
  readonly rewrite?: GraphRewriters;
  /** What products of prompts are made in. Default `file`; without `rewrite` that is all there is. */
  readonly promptProducts?: PromptProducts | undefined;
}
