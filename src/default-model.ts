/** Where the model is that comes with the package. */
import { join } from 'node:path';
import { PACKAGE_ROOT } from './package-root.ts';

/** Directory of the embedded model, in the Hub layout. */
export const DEFAULT_MODEL_DIRECTORY = join(PACKAGE_ROOT, 'models', 'default');
