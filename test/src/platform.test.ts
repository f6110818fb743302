import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { describe, it } from 'node:test';
import { fileURLToPath } from 'node:url';
import { inspectDevices } from '../../src/inspect/inspect-devices.ts';
import { machineObstacle, platformObstacle } from '../../src/platform.ts';
import { Troupe } from '../../src/troupe.ts';

const BINARIES = fileURLToPath(new URL('../../node_modules/onnxruntime-node/bin/napi-v6/', import.meta.url));

describe('the platforms that a model runs on', () => {
  it('are those that onnxruntime-node has a library for', () => {
    for (const platform of ['linux', 'darwin', 'win32', 'freebsd']) {
      for (const arch of ['x64', 'arm64', 'arm', 'ppc64']) {
        const libc = platform === 'linux' ? 'glibc' : null;
        assert.equal(
          platformObstacle({ platform, arch, libc }) === undefined,
          existsSync(`${BINARIES}${platform}/${arch}/onnxruntime_binding.node`),
          `${platform}-${arch}`,
        );
      }
    }
  });

  it('need glibc on Linux: Alpine is refused, with what to use instead', () => {
    const refused = platformObstacle({ platform: 'linux', arch: 'x64', libc: 'musl' });
    assert.equal(refused?.code, 'PLATFORM_UNSUPPORTED');
    assert.match(refused.message, /Linux with musl, as in Alpine.*glibc/);
  });

  it('are named where another one is refused', () => {
    const refused = platformObstacle({ platform: 'darwin', arch: 'x64', libc: null });
    assert.equal(refused?.code, 'PLATFORM_UNSUPPORTED');
    assert.match(refused.message, /no library for darwin-x64\. It has them for linux-x64, .*darwin-arm64/);
  });

  it('are seen to before anything else is done', async (t) => {
    t.mock.property(process, 'arch', 'ppc64');
    await assert.rejects(Troupe.start({ model: 'no-such-model' }), { code: 'PLATFORM_UNSUPPORTED' });
    const { providers } = await inspectDevices(0);
    assert.match(String(providers[0]?.problem), /no library for \w+-ppc64$/);
  });

  it('count this machine in', async () => {
    assert.equal(await machineObstacle(), undefined);
  });
});
