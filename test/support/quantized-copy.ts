/** A model with its vision graph and its decoder in 8 bits as well (dtype `q8`), in a temporary folder. */
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { decodeModel, encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import { quantizeModel } from '../fixtures/graphs/quantized-model.ts';

export interface QuantizedCopy extends AsyncDisposable {
  readonly path: string;
}

/** @param source a model directory with float32 graphs that have no external data */
export async function quantizedCopy(source: string): Promise<QuantizedCopy> {
  const path = await mkdtemp(join(tmpdir(), 'troupe-quantized-'));
  await cp(source, path, { recursive: true });
  const file = (name: string) => join(path, 'onnx', `${name}.onnx`);
  for (const name of ['vision_encoder', 'decoder_model_merged']) {
    const model = quantizeModel(decodeModel(await readFile(file(name))));
    await writeFile(file(`${name}_quantized`), encodeModel(model));
  }
  await cp(file('embed_tokens'), file('embed_tokens_quantized'));
  return { path, [Symbol.asyncDispose]: () => rm(path, { recursive: true }) };
}
