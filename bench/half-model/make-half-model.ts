/** The embedded model in float16, which is not kept in the repository: it is made in a second. */
import { copyFile, mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeModel, encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import { halfModel } from './half-graph.ts';

const GRAPHS = ['vision_encoder', 'embed_tokens', 'decoder_model_merged'];

/** @param source a model directory with float32 graphs that have no external data. @param target is made */
export async function makeHalfModel(source: string, target: string): Promise<void> {
  await mkdir(join(target, 'onnx'), { recursive: true });
  for (const name of await readdir(source)) {
    if (name.endsWith('.json')) await copyFile(join(source, name), join(target, name));
  }
  for (const graph of GRAPHS) {
    const model = decodeModel(await readFile(join(source, 'onnx', `${graph}.onnx`)));
    await writeFile(join(target, 'onnx', `${graph}_fp16.onnx`), encodeModel(halfModel(model)));
  }
}
