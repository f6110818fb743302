import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { dirname, join, relative } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));
const RELATIVE_IMPORT = /(?:from|import)\s*\(?\s*'(\.[^']+)'/g;

/** Which folders the files of a folder may import from. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  runtime: ['runtime'],
  actors: ['actors', 'runtime'],
  src: ['src', 'actors', 'runtime'],
};

function importsOf(file: string): string[] {
  const text = readFileSync(join(ROOT, file), 'utf8');
  return [...text.matchAll(RELATIVE_IMPORT)].map(([, path = '']) =>
    relative(ROOT, join(ROOT, dirname(file), path)),
  );
}

for (const [folder, allowed] of Object.entries(MAY_IMPORT)) {
  describe(`${folder}/`, () => {
    it(`imports from ${allowed.join(', ')} only`, () => {
      const files = globSync(`${folder}/**/*.ts`, { cwd: ROOT });
      assert(files.length > 10);
      for (const file of files) {
        for (const target of importsOf(file)) {
          assert(allowed.includes(target.split('/')[0] ?? ''), `${file} imports ${target}`);
        }
      }
    });
  });
}
