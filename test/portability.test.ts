import assert from 'node:assert/strict';
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';

const ROOT = fileURLToPath(new URL('..', import.meta.url));

/** Of the language, of Node and of the web: each realm has its own, and polyfills have theirs. */
const FOREIGN =
  /instanceof\s+(?:globalThis\.)?((?:Type|Range|Syntax|Reference|URI|Eval|Aggregate)?Error|DOMException|(?:Shared)?ArrayBuffer|DataView|Buffer|\w*Array|AbortSignal|EventTarget|Event|URL|Blob|File|ReadableStream|Response|Request|Headers|FormData|Map|Set|WeakMap|Date|RegExp|Promise|Object|Function|MessagePort|Worker)\b/g;

/** The one place that may ask, after it has asked in a way that holds in every realm. */
const EXPECTED = ['runtime/util/realms.ts: Error'];

describe('the sources', () => {
  it('ask for no class of the language by instanceof, which is false for values of another realm', () => {
    const files = globSync('{src,actors,runtime}/**/*.ts', { cwd: ROOT });
    assert(files.length > 100);
    const found = files.flatMap((file) =>
      [...readFileSync(join(ROOT, file), 'utf8').matchAll(FOREIGN)].map(([, name]) => `${file}: ${name}`),
    );
    assert.deepEqual(found, EXPECTED);
  });

  it('look for a module by its place with moduleBeside alone, which says when a bundler took them away from it', () => {
    const files = globSync('{src,actors,runtime}/**/*.ts', { cwd: ROOT });
    const inPlace = /new URL\([^;]*import\.meta\.url|new Worker\(\s*['"`]|import\.meta\.(dirname|filename)/;
    const found = files.filter((file) => inPlace.test(code(readFileSync(join(ROOT, file), 'utf8'))));
    assert.deepEqual(found, []);
  });
});

/** Without comments. */
function code(text: string): string {
  return text.replace(/\/\*[\s\S]*?\*\//g, '').replace(/\/\/ .*/g, '');
}
