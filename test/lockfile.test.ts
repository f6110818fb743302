import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { describe, it } from 'node:test';

const ROOT = new URL('../', import.meta.url);
const NAME = 'node_modules/onnxruntime-node';

for (const path of ['package-lock.json', 'bench/package-lock.json']) {
  describe(path, () => {
    it('says that onnxruntime-node has no install script, so that no npm runs the one that asks NuGet', () => {
      const { packages } = JSON.parse(readFileSync(new URL(path, ROOT), 'utf8'));
      assert.notEqual(packages[NAME], undefined);
      for (const name of Object.keys(packages).filter((each) => each.endsWith(NAME))) {
        assert.equal(packages[name].hasInstallScript, undefined, name);
      }
    });
  });
}

describe('the installed onnxruntime-node', () => {
  it('is as it is bundled: without its install script', () => {
    const manifest = JSON.parse(readFileSync(new URL(`${NAME}/package.json`, ROOT), 'utf8'));
    assert.equal(manifest.scripts, undefined);
    assert(!existsSync(new URL(`${NAME}/script`, ROOT)));
  });
});
