/** The folder of this package, which holds more than code. In a bundle it is another one: nothing starts there. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const PACKAGE_ROOT = packageRoot();

/** The sources lie one level below the package's root, the build two. */
function packageRoot(): string {
  const url: string | undefined = import.meta.url; // a bundle in CommonJS has none
  if (!url?.startsWith('file:')) return '.';
  let directory = dirname(fileURLToPath(url));
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory)) {
    directory = dirname(directory);
  }
  return directory;
}
