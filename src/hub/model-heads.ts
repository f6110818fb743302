/**
 * What can be known of a model on the Hub without its weights: its configuration, and of each graph all but the weights, in a
 * folder that is there for as long as it is looked at. Files with weights have their size in it, and nothing else.
 */
import { mkdir, mkdtemp, open, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import type { Dtype } from '../../actors/model/graph-files.ts';
import { HubHttp } from './hub-http.ts';
import { type HubFile, HubRepository } from './hub-repository.ts';
import type { HubSettings } from './hub-settings.ts';
import type { ModelName } from './model-name.ts';
import { onnxHead } from './onnx-head.ts';
import { RemoteFile } from './remote-file.ts';
import { wantedFiles } from './wanted-files.ts';

export interface ModelHeads {
  readonly folder: string;
  /** What each file has on the Hub, bytes, by its path in the repository. */
  readonly sizes: ReadonlyMap<string, number>;
}

/** @throws as `pullModel`, and what `look` throws */
export async function withModelHeads<T>(
  name: ModelName,
  settings: HubSettings,
  dtype: Dtype | undefined,
  look: (heads: ModelHeads) => Promise<T>,
): Promise<T> {
  const http = await HubHttp.open(settings, undefined);
  const folder = await mkdtemp(join(tmpdir(), 'troupe-heads-'));
  try {
    const repository = new HubRepository(name, settings, http);
    const { commit, files } = await repository.read();
    const wanted = wantedFiles(files, name.id, dtype);
    const remote = ({ path, size }: HubFile) =>
      new RemoteFile({
        ...{ http, size, signal: undefined, address: repository.addressOf(commit, path) },
        refusal: (answer) => repository.refusal(answer),
      });
    const place = async (path: string) => {
      const target = join(folder, ...path.split('/'));
      await mkdir(dirname(target), { recursive: true });
      return target;
    };
    await Promise.all([
      ...wanted.configuration.map(async (file) =>
        writeFile(await place(file.path), await remote(file).read(0, file.size)),
      ),
      ...wanted.graphs.map(async (file) =>
        writeFile(await place(file.path), await onnxHead(remote(file), `${name.id}/${file.path}`)),
      ),
      ...[...wanted.data, ...wanted.others].map(async ({ path, size }) => hollow(await place(path), size)),
    ]);
    return await look({ folder, sizes: new Map(files.map(({ path, size }) => [path, size])) });
  } finally {
    await Promise.all([http.close(), rm(folder, { recursive: true, force: true })]);
  }
}

/** As long as it should be, and without anything in it: it takes no room on the disk. */
async function hollow(path: string, size: number): Promise<void> {
  const file = await open(path, 'w');
  try {
    await file.truncate(size);
  } finally {
    await file.close();
  }
}
