/**
 * A model of realistic size with random weights, made when a benchmark first needs it and kept in a cache folder.
 * Same shape, same bytes; a folder under its final name is complete, whoever else is making it at the same time.
 */
import { copyFile, mkdir, readdir, rename, rm, stat, writeFile } from 'node:fs/promises';
import { basename, dirname, join, resolve } from 'node:path';
import process from 'node:process';
import { openEmbeddedModel } from '../embedded-model.ts';
import { configFiles, controlsOf } from './config-files.ts';
import { writeDecoder } from './decoder-graph.ts';
import { writeEmbedding } from './embedding-graph.ts';
import { PRECISIONS, type Precision } from './precision.ts';
import type { AttentionKind, ModelShape } from './shape.ts';
import { type ShapeName, shapeOf } from './shapes.ts';
import { padTokenizer } from './tokenizer.ts';
import { writeVisionEncoder } from './vision-graph.ts';

/** Goes into the folder's name: raise it when what is generated changes. */
export const VERSION = 3;

/** Precision → suffix of the files. */
const SUFFIXES = { fp32: '', q4: '_q4', q8: '_quantized' } as const satisfies Record<Precision, string>;

export interface GeneratedModelOptions {
  /** Default `smolvlm-256m`. */
  readonly shape?: ShapeName | undefined;
  /** Default `gqa`. */
  readonly attention?: AttentionKind;
  /** Of the decoder. Default: see `DEFAULT_LAYERS` and `shapeOf`. */
  readonly layers?: number | undefined;
  /** Of the graphs. Default all that there are; the folder's name says which when they are fewer. */
  readonly precisions?: readonly Precision[];
  /** Where models are kept. Default: see `cacheFolder`. */
  readonly cache?: string;
}

/** `TROUPE_BENCH_CACHE`, else `bench/.cache`. */
export function cacheFolder(): string {
  return resolve(process.env.TROUPE_BENCH_CACHE ?? join(import.meta.dirname, '..', '.cache'));
}

/** @returns the model's directory, made first when it is not there: 1.2 GB and half a minute for SmolVLM's shape, 4 GB for the largest */
export async function generatedModel({
  shape: name = 'smolvlm-256m',
  attention = 'gqa',
  layers,
  precisions = PRECISIONS,
  cache = cacheFolder(),
}: GeneratedModelOptions = {}): Promise<string> {
  const shape = shapeOf(name, layers);
  const some = precisions === PRECISIONS ? '' : `-${precisions.join('-')}`;
  const folder = join(cache, `${shape.name}-${attention}${some}-v${VERSION}`);
  if (await exists(folder)) return folder;
  await removeAbandonedDrafts(folder);
  const draft = `${folder}.${process.pid}.draft`;
  const progress = new ByteProgress(`making ${shape.name} (${attention})`);
  try {
    await writeModel(draft, { shape, attention, precisions }, (bytes) => progress.add(bytes));
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(folder))) throw error;
  } finally {
    progress.end();
  }
  return folder;
}

interface PlannedModel {
  readonly shape: ModelShape;
  readonly attention: AttentionKind;
  readonly precisions: readonly Precision[];
}

async function writeModel(
  folder: string,
  { shape, attention, precisions }: PlannedModel,
  onBytes: (bytes: number) => void,
): Promise<void> {
  const onnx = join(folder, 'onnx');
  await mkdir(onnx, { recursive: true });
  const embedded = await openEmbeddedModel();
  const tokenizer = await padTokenizer(embedded.tokenizerPath, shape.vocabulary, controlsOf(shape));
  for (const [name, contents] of Object.entries(configFiles(shape, tokenizer, embedded))) {
    await writeFile(join(folder, name), `${JSON.stringify(contents)}\n`);
  }
  // The table is the same in all, so all graphs read the one file of external data.
  const embedding = join(onnx, 'embed_tokens.onnx');
  await writeEmbedding(embedding, shape, onBytes);
  for (const precision of precisions) {
    const file = (name: string) => join(onnx, `${name}${SUFFIXES[precision]}.onnx`);
    await writeVisionEncoder(file('vision_encoder'), shape, precision, onBytes);
    const path = file('decoder_model_merged');
    await writeDecoder({ path, shape, precision, attention, firstWord: tokenizer.firstWord }, onBytes);
    if (precision !== 'fp32') await copyFile(embedding, file('embed_tokens'));
  }
}

/** Of processes that were killed while they made the same model. */
async function removeAbandonedDrafts(folder: string): Promise<void> {
  const names = await readdir(dirname(folder)).catch(() => []);
  for (const name of names) {
    const pid = name.startsWith(`${basename(folder)}.`) ? /\.(\d+)\.draft$/.exec(name)?.[1] : undefined;
    if (pid === undefined || isRunning(Number(pid))) continue;
    await rm(join(dirname(folder), name), { recursive: true, force: true });
  }
}

function isRunning(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch {
    return false;
  }
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

/** One line on standard error, rewritten on a terminal. */
class ByteProgress {
  readonly #title: string;
  #bytes = 0;

  constructor(title: string) {
    this.#title = title;
    this.#show();
  }

  add(bytes: number): void {
    this.#bytes += bytes;
    if (process.stderr.isTTY) this.#show();
  }

  end(): void {
    this.#show();
    process.stderr.write('\n');
  }

  #show(): void {
    const megabytes = (this.#bytes / 1e6).toFixed(0);
    process.stderr.write(`${process.stderr.isTTY ? '\r' : '\n'}${this.#title}: ${megabytes} MB`);
  }
}
