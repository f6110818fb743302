import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldensOf, moreGoldensOf } from './support/family-goldens.ts';
import { goldenSuite } from './support/golden-suite.ts';

goldenSuite('idefics3', { goldens: goldensOf('idefics3') });

// These were made with Pillow's Lanczos filter, as models that were published before transformers 5 want it.
goldenSuite('idefics3', {
  goldens: moreGoldensOf('idefics3'),
  change: async (path) => {
    const file = join(path, 'preprocessor_config.json');
    const text = await readFile(file, 'utf8');
    await writeFile(file, text.replace(/"resample": ?3\b/, '"resample": 1'));
  },
});
