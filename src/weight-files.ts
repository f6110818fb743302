/** The files beside a graph that its weights lie in. */
import { realpath } from 'node:fs/promises';
import { basename, dirname, join } from 'node:path';
import type { RewritableGraph } from '../actors/model/model-directory.ts';
import type { WeightFile } from '../actors/model/weight-copies.ts';

/** @param graph as it was opened */
export function weightPaths({ path, signature }: RewritableGraph): string[] {
  return [...new Set(signature.externalData.map(({ location }) => join(dirname(path), location)))];
}

/**
 * With the names that they need in one folder, for the graph to find them there. Undefined where there are none such: names with
 * a folder, or twice the same.
 *
 * @param mayRename the graph may yet be rewritten, and a rewritten one calls files as they are called where links lead to
 */
export async function filesToCopy(
  graph: RewritableGraph,
  mayRename: boolean,
): Promise<readonly WeightFile[] | undefined> {
  const folder = dirname(graph.path);
  const locations = [...new Set(graph.signature.externalData.map(({ location }) => location))];
  const files = await Promise.all(
    locations.map(async (location): Promise<WeightFile> => {
      const path = join(folder, location);
      const real = basename(await realpath(path));
      if (mayRename) return { path, names: [...new Set([location, real])] };
      return { path, names: [graph.rewrite?.rewritten ? real : location] };
    }),
  );
  const names = files.flatMap((file) => file.names);
  const fit = new Set(names).size === names.length && names.every((name) => basename(name) === name);
  return fit ? files : undefined;
}
