/** What somebody with an older Node is told. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Consumer, TIMEOUT_MS } from '../support/packed-package.ts';

const ENTRIES = ['troupe', 'troupe/runtime', 'troupe/server'];
const COMES_FOR = process.platform === 'linux' || process.platform === 'darwin';

/** By version, the ways that it has to load a module of ours. */
const VERSIONS = { '20.20.2': ['import', 'require'], '18.20.8': ['import'] } as const;

for (const [version, ways] of Object.entries(VERSIONS)) {
  const skip = COMES_FOR ? false : 'no package of npm brings this Node for this platform';
  describe(`on Node ${version}`, { timeout: TIMEOUT_MS, skip }, () => {
    let consumer: Consumer;
    let nodeFolder: string;

    before(async () => {
      ({ consumer } = await Consumer.withTroupe());
      const name = `node-${process.platform}-${process.arch}`;
      await consumer.npm(['install', `${name}@${version}`]);
      nodeFolder = join(consumer.folder, 'node_modules', name, 'bin');
      await consumer.write({
        'import.cjs': `import(process.argv[2]).catch(({ code, message }) => console.log(code, message));`,
        'require.cjs': `try { require(process.argv[2]) } catch ({ code, message }) { console.log(code, message) }`,
      });
    });
    after(() => consumer[Symbol.asyncDispose]());

    for (const entry of ENTRIES) {
      for (const way of ways) {
        it(`${way} of ${entry} says NODE_TOO_OLD`, async () => {
          const { stdout } = await consumer.run('node', [`${way}.cjs`, entry], { nodeFolder });
          assert.equal(
            stdout,
            `NODE_TOO_OLD Troupe needs Node.js 22.19 or newer, this is ${version}. Install a current Node.js\n`,
          );
        });
      }
    }

    it('the command line says NODE_TOO_OLD', async () => {
      const bin = join('node_modules', 'troupe', 'dist', 'src', 'cli', 'bin.js');
      await assert.rejects(consumer.run('node', [bin, 'inspect'], { nodeFolder }), {
        code: 1,
        stderr: /^troupe: Troupe needs Node\.js 22\.19 or newer, this is .* \[NODE_TOO_OLD\]\n$/,
      });
    });
  });
}
