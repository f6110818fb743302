/** What is in the package, and what it says of itself. */
import assert from 'node:assert/strict';
import { existsSync, globSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Consumer, TIMEOUT_MS } from '../support/packed-package.ts';

const LINK = /\]\(([^)\s]+)\)|(?:src|srcset|href)="([^"]+)"/g;

describe('the published package', { timeout: TIMEOUT_MS }, () => {
  let consumer: Consumer;
  let root: string;

  before(async () => {
    ({ consumer } = await Consumer.withTroupe());
    root = join(consumer.folder, 'node_modules', 'troupe');
  });
  after(() => consumer[Symbol.asyncDispose]());

  it('holds what its README and its docs link to', () => {
    const pages = ['README.md', 'CONTRIBUTING.md', ...globSync('docs/**/*.md', { cwd: root })];
    assert(pages.length > 5);
    for (const page of pages) {
      const text = readFileSync(join(root, page), 'utf8');
      for (const [, markdown, html] of text.matchAll(LINK)) {
        const [path = ''] = (markdown ?? html ?? '').split('#');
        if (path === '' || /^[a-z]+:/.test(path)) continue;
        assert(existsSync(join(root, dirname(page), path)), `${page} links to ${path}`);
      }
    }
  });

  it('names no repository, home page or tracker, as long as none is public', () => {
    const manifest = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
    for (const field of ['repository', 'homepage', 'bugs']) assert.equal(manifest[field], undefined);
  });

  it('holds the licences of what it brings', () => {
    assert.match(readFileSync(join(root, 'LICENSE'), 'utf8'), /Apache License/);
    assert.match(readFileSync(join(root, 'NOTICE'), 'utf8'), /onnxruntime-node.*MIT License.*Microsoft/s);
  });

  it('brings onnxruntime for each platform once, without its install script and what only that needs', () => {
    const modules = join(root, 'node_modules');
    const { scripts, dependencies } = JSON.parse(
      readFileSync(join(modules, 'onnxruntime-node', 'package.json'), 'utf8'),
    );
    assert.equal(scripts, undefined);
    assert.deepEqual(Object.keys(dependencies), ['onnxruntime-common']);
    const bin = join(modules, 'onnxruntime-node', 'bin', 'napi-v6');
    assert.deepEqual(globSync('*/*/onnxruntime_binding.node', { cwd: bin }).sort(), [
      'darwin/arm64/onnxruntime_binding.node',
      'linux/arm64/onnxruntime_binding.node',
      'linux/x64/onnxruntime_binding.node',
      'win32/arm64/onnxruntime_binding.node',
      'win32/x64/onnxruntime_binding.node',
    ]);
    assert.deepEqual(globSync('darwin/arm64/*.dylib', { cwd: bin }), ['darwin/arm64/libonnxruntime.1.dylib']);
  });

  it('loads on macOS the library that it brings: the binding names it', () => {
    const folder = join(root, 'node_modules', 'onnxruntime-node', 'bin', 'napi-v6', 'darwin', 'arm64');
    const binding = readFileSync(join(folder, 'onnxruntime_binding.node'));
    assert(binding.includes('@rpath/libonnxruntime.1.dylib\0'));
    assert(!binding.includes('libonnxruntime.1.30'));
  });
});
