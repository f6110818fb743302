/**
 * A model directory's decoder as a GGUF file, with equal bits: fp32 as F32, q4 as Q4_0 and q8 as Q8_0 with the same levels, whose
 * scales become the nearest numbers of 16 bits. Made when it is first needed, kept in the benchmarks' cache.
 */
import { mkdir, rename, rm, stat } from 'node:fs/promises';
import { basename, join } from 'node:path';
import process from 'node:process';
import type { ModelDirectory } from '../../actors/model/model-directory.ts';
import { cacheFolder } from '../generated-model/generate.ts';
import { decoderConfig } from './decoder-config.ts';
import { writeGguf } from './gguf-file.ts';
import { decoderMetadata, tokenMetadata } from './gguf-metadata.ts';
import { DecoderTensors } from './gguf-tensors.ts';
import { OnnxWeights } from './onnx-weights.ts';

/** Raise it when the same model would be written differently. */
const VERSION = 1;

/** @returns path of the file, which is made anew when the decoder is younger */
export async function ggufOf(model: ModelDirectory, folder = join(cacheFolder(), 'gguf')): Promise<string> {
  const { decoder, embed } = model.graphs;
  if (embed === undefined) throw new TypeError('the embeddings are inside the decoder');
  const path = join(folder, `${basename(model.path)}-${decoder.dtype}-v${VERSION}.gguf`);
  if ((await modified(path)) > (await modified(decoder.path))) return path;
  await mkdir(folder, { recursive: true });
  const draft = `${path}.${process.pid}.draft`;
  try {
    const config = await decoderConfig(model.path);
    const weights = [await OnnxWeights.open(decoder.path), await OnnxWeights.open(embed.path)] as const;
    const metadata = { ...decoderMetadata(config), ...(await tokenMetadata(model.tokenizerPath, config)) };
    await writeGguf(draft, metadata, new DecoderTensors(config, ...weights).all());
    await rename(draft, path);
  } finally {
    await rm(draft, { force: true });
  }
  return path;
}

/** Milliseconds; 0 when there is no such file. */
async function modified(path: string): Promise<number> {
  return stat(path).then(
    ({ mtimeMs }) => mtimeMs,
    () => 0,
  );
}
