/** `troupe models` and `troupe rm`: what the Hub's cache has, and how it goes away. */
import Table from 'cli-table3';
import { type CachedModel, listModels } from '../hub/cached-models.ts';
import { megabytes } from '../hub/download-progress.ts';
import { removeModel } from '../hub/remove-model.ts';
import type { CommandContext } from './command-context.ts';
import type { ListFlags } from './flags.ts';

export async function listCachedModels(flags: ListFlags, { output }: CommandContext): Promise<void> {
  const models = await listModels();
  if (flags.json === true) await output.write(`${JSON.stringify({ models })}\n`);
  else if (models.length === 0)
    await output.write('no models in the cache; troupe pull owner/name fetches one\n');
  else await output.write(`${tableOf(models)}\n`);
}

export async function remove(name: string, { output }: CommandContext): Promise<void> {
  const removed = await removeModel(name);
  await output.write(`${removed.name}: removed\n`);
}

function tableOf(models: readonly CachedModel[]): string {
  const table = new Table({
    head: ['model', 'size', 'dtypes', 'family', 'modes', 'last used'],
    colAligns: ['left', 'right', 'left', 'left', 'left', 'left'],
    style: { head: [], border: [] },
  });
  for (const model of models) {
    const { name, bytes, dtypes, modelType = '', supported, modes, lastUsed } = model;
    const family = supported ? modelType : `${modelType} (not supported)`.trim();
    const isBegun = model.path === undefined;
    table.push([
      name,
      megabytes(bytes),
      isBegun ? 'download not ended' : dtypes.join(', ') || 'mixed',
      isBegun ? '' : family,
      supported ? modes.join(', ') : '',
      lastUsed === undefined ? '' : lastUsed.toISOString().slice(0, 16).replace('T', ' '),
    ]);
  }
  return table.toString();
}
