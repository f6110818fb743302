import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { goldenSuite } from './support/golden-suite.ts';

// These goldens come of rendered prompts handed to the processor as text: its tokenizer then puts a first token before the one
// that the template has written. A chat of the reference, and one here, has it once, so the template writes it twice for them.
goldenSuite('gemma3', {
  change: async (path) => {
    const file = join(path, 'chat_template.jinja');
    await writeFile(file, `<bos>${await readFile(file, 'utf8')}`);
  },
});
