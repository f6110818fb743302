/**
 * Exports as others publish them. Their graphs in test/fixtures/families/published leave out the weights that the family's own
 * fixture has under the same name; here they are put back.
 */
import { mkdir, readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { decodeModel, encodeModel } from '../../actors/model/onnx/onnx-proto.ts';
import type { OnnxModel } from '../../actors/model/onnx/onnx-types.ts';

const FAMILIES = fileURLToPath(new URL('../fixtures/families/', import.meta.url));

/** The graphs of a family's published variant, by file name. */
export async function publishedGraphs(family: string): Promise<Map<string, OnnxModel>> {
  const folder = join(FAMILIES, 'published', family, 'onnx');
  const graphs = new Map<string, OnnxModel>();
  for (const name of await readdir(folder)) {
    const [model, own] = await Promise.all(
      [folder, join(FAMILIES, family, 'onnx')].map(async (path) =>
        decodeModel(await readFile(join(path, name))),
      ),
    );
    if (model === undefined || own === undefined) throw new Error('two graphs were read');
    const weights = new Map((own.graph?.initializer ?? []).map((tensor) => [tensor.name, tensor.rawData]));
    for (const tensor of model.graph?.initializer ?? []) {
      if ((tensor.rawData?.length ?? 0) > 0 || tensor.dims?.some((size) => Number(size) === 0)) continue;
      const rawData = weights.get(tensor.name);
      if (rawData === undefined) throw new Error(`${name} has no weights ${tensor.name}`);
      tensor.rawData = rawData;
    }
    graphs.set(name, model);
  }
  return graphs;
}

/** Writes them over those of a copy of the family's fixture. */
export async function writePublished(family: string, folder: string): Promise<void> {
  await mkdir(join(folder, 'onnx'), { recursive: true });
  for (const [name, model] of await publishedGraphs(family)) {
    await writeFile(join(folder, 'onnx', name), encodeModel(model));
  }
}
