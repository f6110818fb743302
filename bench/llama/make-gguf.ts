/**
 * A model directory's decoder as a GGUF file, with equal bits: fp32 as F32, q4 as Q4_0 and q8 as Q8_0 with the same levels, whose
 * scales become the nearest numbers of 16 bits; and its vision tower in 32 bits, as the projector file that llama.cpp wants beside it.
 * Made when they are first needed, kept in the benchmarks' cache.
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import process from 'node:process';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { cacheFolder } from '../generated-model/generate.ts';
import { decoderConfig } from './decoder-config.ts';
import { writeGguf } from './gguf-file.ts';
import { decoderMetadata, tokenMetadata } from './gguf-metadata.ts';
import { DecoderTensors } from './gguf-tensors.ts';
import { OnnxWeights } from './onnx-weights.ts';
import { visionConfig } from './vision-config.ts';
import { PICTURE_TEMPLATE, PICTURE_TOKENS, visionMetadata } from './vision-metadata.ts';
import { VisionTensors } from './vision-tensors.ts';

/** Raise it when the same model would be written differently. */
const VERSION = 1;

const FOLDER = join(cacheFolder(), 'gguf');

/** @returns path of the file, which is made anew when the decoder is younger */
export async function ggufOf(model: ModelDirectory, folder = FOLDER): Promise<string> {
  return await decoderFile(model, folder, '', {});
}

/** Paths of the files for a llama.cpp that is shown pictures. */
export interface PictureFiles {
  readonly decoder: string;
  readonly vision: string;
}

/** @throws ZodError where the model is no Idefics3 with one tile a picture */
export async function pictureGgufOf(model: ModelDirectory, folder = FOLDER): Promise<PictureFiles> {
  const { vision } = model.graphs;
  if (vision === undefined) throw new TypeError('the model has no vision graph of its own');
  const template = { 'tokenizer.chat_template': PICTURE_TEMPLATE };
  const decoder = await decoderFile(model, folder, '-pictures', PICTURE_TOKENS, template);
  const path = join(folder, `${basename(model.path)}-vision-v${VERSION}.gguf`);
  await madeOf(vision.path, path, async (draft) => {
    const config = await visionConfig(model.path);
    const tensors = new VisionTensors(config, await OnnxWeights.open(vision.path)).all();
    await writeGguf(draft, visionMetadata(config), tensors);
  });
  return { decoder, vision: path };
}

async function decoderFile(
  model: ModelDirectory,
  folder: string,
  kind: string,
  renamed: Readonly<Record<string, string>>,
  more: Readonly<Record<string, string>> = {},
): Promise<string> {
  const { decoder, embed } = model.graphs;
  if (embed === undefined) throw new TypeError('the embeddings are inside the decoder');
  const path = join(folder, `${basename(model.path)}-${decoder.dtype}${kind}-v${VERSION}.gguf`);
  await madeOf(decoder.path, path, async (draft) => {
    const config = await decoderConfig(model.path);
    const weights = [await OnnxWeights.open(decoder.path), await OnnxWeights.open(embed.path)] as const;
    const tokens = await tokenMetadata(model.tokenizerPath, config, renamed);
    const metadata = { ...decoderMetadata(config), ...tokens, ...more };
    await writeGguf(draft, metadata, new DecoderTensors(config, ...weights).all());
  });
  return path;
}

/** Writes a file unless it is there and younger than what it is made of. */
async function madeOf(from: string, path: string, write: (draft: string) => Promise<void>): Promise<void> {
  if ((await modified(path)) > (await modified(from))) return;
  await mkdir(dirname(path), { recursive: true });
  const draft = `${path}.${process.pid}.draft`;
  try {
    await write(draft);
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
}

/** Milliseconds; 0 when there is no such file. */
async function modified(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
