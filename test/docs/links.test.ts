import assert from 'node:assert/strict';
import { existsSync, globSync, statSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';
import { describe, it } from 'node:test';
import { parseDocument, ROOT, readDocument } from './markdown.ts';

/** Folders whose Markdown is somebody else's, or made anew at any time. */
const NOT_OURS = /(^|\/)(node_modules|dist|out|results|\..*)$/;

const FILES = globSync('**/*.md', { cwd: ROOT, exclude: (path) => NOT_OURS.test(path) })
  .map((path) => path.replaceAll('\\', '/'))
  .sort();

/** Why a link leads nowhere; undefined when it leads somewhere, or to the web. */
function whyDead(link: string, from: string): string | undefined {
  if (/^[a-z][a-z+.-]*:/i.test(link)) return undefined;
  const [path = '', anchor] = link.split('#');
  const file = path === '' ? from : normalize(join(dirname(from), decodeURIComponent(path)));
  if (file.startsWith('..')) return 'leaves the project';
  if (!existsSync(ROOT + file)) return 'there is no such file';
  if (!statSync(ROOT + file).isFile()) return 'is a folder, of which the site has no page';
  if (anchor === undefined) return undefined;
  if (!file.endsWith('.md')) return 'an anchor in what is no page';
  return readDocument(file).anchors.has(anchor) ? undefined : 'there is no such heading';
}

describe('the links of the documentation', () => {
  it('are found in all Markdown files', () => {
    for (const file of ['README.md', 'CONTRIBUTING.md', 'docs/server.md', 'models/default/README.md']) {
      assert(FILES.includes(file), file);
      assert(readDocument(file).links.length > 0, file);
    }
  });

  for (const file of FILES) {
    it(`lead somewhere: ${file}`, () => {
      const dead = readDocument(file).links.flatMap((link) => {
        const why = whyDead(link, file);
        return why === undefined ? [] : [`${link}: ${why}`];
      });
      assert.deepEqual(dead, []);
    });
  }

  it('are known to be dead by file, by folder and by heading', () => {
    assert.equal(whyDead('no-such-page.md', 'docs/api.md'), 'there is no such file');
    assert.equal(whyDead('../examples', 'docs/api.md'), 'is a folder, of which the site has no page');
    assert.equal(whyDead('errors.md#no-such-heading', 'docs/api.md'), 'there is no such heading');
    assert.equal(whyDead('#no-such-heading', 'docs/api.md'), 'there is no such heading');
    assert.equal(whyDead('../../elsewhere.md', 'docs/api.md'), 'leaves the project');
    assert.equal(whyDead('errors.md#the-server', 'docs/api.md'), undefined);
    assert.equal(whyDead('https://example.org/nowhere', 'docs/api.md'), undefined);
  });

  it('are read from Markdown and from HTML in it, not from code', () => {
    const text = [
      '[one](a.md "title") `[no](b.md)` ![two](c.png) <img src="d.png" alt="">',
      '',
      '```',
      '[no](e.md)',
      '```',
      '',
      '<picture><source srcset="f.png 1x, g.png 2x"><a href="h.md">three</a></picture>',
      '',
      '[four][ref]',
      '',
      '[ref]: i.md#part',
    ].join('\n');
    const links = ['a.md', 'c.png', 'd.png', 'f.png', 'g.png', 'h.md', 'i.md#part'];
    assert.deepEqual([...parseDocument(text).links].sort(), links);
  });

  it('name headings by the words that are read, twins by a number', () => {
    const text = '# The `code`, *and* more\n\n## Twin\n\n## Twin\n\n<a id="by-hand"></a>';
    assert.deepEqual([...parseDocument(text).anchors], ['the-code-and-more', 'twin', 'twin-1', 'by-hand']);
  });
});
