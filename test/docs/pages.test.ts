import assert from 'node:assert/strict';
import { existsSync, globSync } from 'node:fs';
import { describe, it } from 'node:test';
import { ABOUT_THE_FOLDER, HOME, PAGES } from '../../docs/site/pages.ts';
import { ROOT, readDocument } from './markdown.ts';

const FILES = PAGES.map(({ file }) => file);

describe('the pages of the site', () => {
  it('are all Markdown files of docs/, each once', () => {
    const written = globSync('docs/**/*.md', {
      cwd: ROOT,
      exclude: (path) => path.includes('node_modules') || path.startsWith('docs/site'),
    });
    const listed = [...FILES.filter((file) => file.startsWith('docs/')), ABOUT_THE_FOLDER];
    assert.deepEqual(written.map((path) => path.replaceAll('\\', '/')).sort(), listed.sort());
  });

  it('are there', () => {
    for (const file of [HOME, ...FILES]) assert(existsSync(ROOT + file), file);
  });

  it('have addresses of their own', () => {
    assert.equal(new Set(PAGES.map(({ name }) => name)).size, PAGES.length);
    for (const { name } of PAGES) assert.match(name, /^[a-z][a-z0-9-]*$/);
  });

  it('can be reached from the first one', () => {
    const reached = new Set([HOME]);
    for (const file of reached) {
      for (const link of readDocument(file).links) {
        const target = new URL(link, `file:///${file}`).pathname.slice(1);
        if (target.endsWith('.md')) reached.add(target);
      }
    }
    assert.deepEqual(
      FILES.filter((file) => !reached.has(file)),
      [],
    );
  });
});
