/** Where the model is that comes with the package. */
import { existsSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

/** Directory of the embedded model, in the Hub layout. */
export const DEFAULT_MODEL_DIRECTORY = join(packageRoot(), 'models', 'default');

/** The sources lie one level below the package's root, the build two. */
function packageRoot(): string {
  let directory = dirname(fileURLToPath(import.meta.url));
  while (!existsSync(join(directory, 'package.json')) && directory !== dirname(directory)) {
    directory = dirname(directory);
  }
  return directory;
}
