import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldensOf, moreGoldensOf } from './support/family-goldens.ts';
import { goldenSuite } from './support/golden-suite.ts';

goldenSuite('idefics3', { goldens: moreGoldensOf('idefics3') });

// torchvision before 0.27 had no Lanczos filter and took the bicubic one in its place; these goldens were made with it.
goldenSuite('idefics3', {
  goldens: goldensOf('idefics3'),
  change: async (path) => {
    for (const name of ['preprocessor_config.json', 'processor_config.json']) {
      const file = join(path, name);
      const text = await readFile(file, 'utf8');
      await writeFile(file, text.replace(/"resample": 1\b/, '"resample": 3'));
    }
  },
});
