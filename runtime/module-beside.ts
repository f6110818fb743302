/**
 * Modules that are not imported but found by their place: those that threads and processes begin with. A bundler takes
 * the code that looks for them elsewhere and leaves them behind; it may also give CommonJS, where `import.meta.url` is
 * undefined. That has to be an error that says so: a thread that cannot begin would keep somebody waiting.
 */
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { TroupeError } from './errors.ts';

const REMEDY =
  "Leave troupe out of the bundle, as an external package: serverExternalPackages: ['troupe'] in next.config (Next.js), --external:troupe (esbuild), ssr.external: ['troupe'] (Vite), external or externals elsewhere";

/**
 * The URL of a module by its path relative to another, without extension: the sources are `.ts`, the published package
 * `.js`. (A function, and not `new URL('./…', import.meta.url)` in place: bundlers rewrite that.)
 *
 * @param base `import.meta.url` of the module that looks
 * @throws TroupeError `BUNDLED` when there is no such file
 */
export function moduleBeside(base: string | undefined, module: string): URL {
  if (base === undefined || !base.startsWith('file:'))
    throw bundled(`${module}, for there is no import.meta.url`);
  const url = new URL(module + extensionOf(base), base);
  if (!existsSync(fileURLToPath(url))) throw bundled(fileURLToPath(url));
  return url;
}

/**
 * Also what it comes to when a dependency that starts threads was bundled and its files were not.
 *
 * @param missing what is not there
 */
export function bundled(missing: string, cause?: unknown): TroupeError {
  return new TroupeError(
    `Troupe was put into a bundle, where it cannot find its other files: there is no ${missing}. ${REMEDY}.`,
    { code: 'BUNDLED', details: { missing, remedy: REMEDY }, cause },
  );
}

/** `.ts` when running from sources, `.js` when running from the build. */
function extensionOf(moduleUrl: string): string {
  return moduleUrl.slice(moduleUrl.lastIndexOf('.'));
}
