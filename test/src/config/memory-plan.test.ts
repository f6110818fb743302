import assert from 'node:assert/strict';
import { test } from 'node:test';
import { defaultMemoryLimit, planMemory } from '../../../src/config/memory-plan.ts';
import { resolveConfig } from '../../../src/config/resolve-config.ts';

const GIB = 1024 ** 3;

test('the limit is a share of the container, or of the machine where there is none', () => {
  assert.equal(defaultMemoryLimit(GIB, 16 * GIB), Math.floor(0.8 * GIB));
  assert.equal(defaultMemoryLimit(0, 16 * GIB), Math.floor(0.8 * 16 * GIB));
  // What a system without a limit says.
  assert.equal(defaultMemoryLimit(2 ** 63, 16 * GIB), Math.floor(0.8 * 16 * GIB));
});

for (const limit of [GIB / 4, GIB, 4 * GIB, 256 * GIB]) {
  test(`the shares of ${limit} bytes leave room for the rest`, () => {
    const { limitBytes, fetchedBytes, ...shares } = planMemory(limit);
    const sum = Object.values(shares).reduce((total, share) => total + share, 2 * fetchedBytes);
    assert.equal(limitBytes, limit);
    assert.ok(sum <= limit * 0.95, `${sum} of ${limit}`);
    assert.ok(
      [...Object.values(shares), fetchedBytes].every((share) => Number.isInteger(share) && share > 0),
    );
  });
}

test('in 1 GiB a photograph of 12 megapixels can be decoded, as JPEG, WebP and AVIF', () => {
  const { decodeBytes } = planMemory(defaultMemoryLimit(GIB, GIB));
  for (const bytesPerPixel of [6.3, 13, 19]) assert.ok(12_192_768 * bytesPerPixel <= decodeBytes);
});

test('the limit can be set, and is refused when there is no room in it', () => {
  assert.equal(resolveConfig({ limits: { memoryBytes: GIB } }).memory.limitBytes, GIB);
  assert.throws(() => resolveConfig({ limits: { memoryBytes: 1000 } }), {
    code: 'INVALID_OPTION',
    message: /limits\.memoryBytes/,
  });
});
