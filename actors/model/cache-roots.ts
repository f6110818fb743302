/**
 * Where derived files of a model may be kept (see `graph-cache.ts`): TROUPE_CACHE_DIR, and then nowhere else; by default
 * graphs lie in `.troupe-cache` in the model directory, or in the user's cache folder where that cannot be written.
 * Files that actors map are kept in the user's cache folder alone: whoever writes to, or cuts, whatever lies in a model
 * directory is not to end a process that serves it.
 */
import { homedir, platform } from 'node:os';
import { join, resolve } from 'node:path';

/** Beside the model. Hidden, so that nobody takes it for a part of the model. */
export const CACHE_FOLDER_NAME = '.troupe-cache';

type Environment = Readonly<Record<string, string | undefined>>;

/** Where rewritten graphs may be kept, best first. @param modelPath the model directory */
export function cacheRoots(modelPath: string, environment: Environment = process.env): readonly string[] {
  return chosen(environment) ?? [join(modelPath, CACHE_FOLDER_NAME), userCacheFolder(environment)];
}

/** Where files may be kept that actors map. */
export function mappedRoots(environment: Environment = process.env): readonly string[] {
  return chosen(environment) ?? [userCacheFolder(environment)];
}

function chosen({ TROUPE_CACHE_DIR: folder }: Environment): readonly string[] | undefined {
  return folder === undefined || folder === '' ? undefined : [resolve(folder)];
}

/** By the platform's convention; on Linux and elsewhere the XDG base directory specification's. */
function userCacheFolder(environment: Environment): string {
  return join(platformCacheFolder(environment), 'troupe');
}

function platformCacheFolder(environment: Environment): string {
  if (platform() === 'darwin') return join(homedir(), 'Library', 'Caches');
  if (platform() === 'win32') return environment.LOCALAPPDATA ?? join(homedir(), 'AppData', 'Local');
  const xdg = environment.XDG_CACHE_HOME;
  return xdg?.startsWith('/') ? xdg : join(homedir(), '.cache');
}
