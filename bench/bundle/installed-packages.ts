/** Which folders of `node_modules` a program needs when it runs, by what npm wrote down. */
import { existsSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

interface Lockfile {
  readonly packages: Readonly<
    Record<string, { readonly dev?: boolean; readonly dependencies?: Readonly<Record<string, string>> }>
  >;
}

/** All but development dependencies, as paths below `root`; those of other platforms were not installed. */
export async function runtimePackages(root: string): Promise<string[]> {
  const { packages } = await readLockfile(root);
  return Object.entries(packages)
    .filter(([path, { dev }]) => path !== '' && dev !== true && existsSync(join(root, path)))
    .map(([path]) => path);
}

/** Those of the given names and what they depend on. For a flat `node_modules`, which npm makes where it can. */
export async function packagesOf(root: string, names: readonly string[]): Promise<string[]> {
  const { packages } = await readLockfile(root);
  const found = new Set<string>();
  const add = (name: string): void => {
    const path = `node_modules/${name}`;
    if (found.has(path)) return;
    if (!existsSync(join(root, path)))
      throw new Error(`${join(root, path)} is not installed: run \`npm ci\``);
    found.add(path);
    for (const dependency of Object.keys(packages[path]?.dependencies ?? {})) add(dependency);
  };
  for (const name of names) add(name);
  return [...found];
}

async function readLockfile(root: string): Promise<Lockfile> {
  return JSON.parse(await readFile(join(root, 'package-lock.json'), 'utf8')) as Lockfile; // written by npm
}
