/** What somebody with an older Node is told. */
import assert from 'node:assert/strict';
import { join } from 'node:path';
import { after, before, describe, it } from 'node:test';
import { Consumer, TIMEOUT_MS } from '../support/packed-package.ts';

const ENTRIES = ['troupe', 'troupe/runtime', 'troupe/server'];
const NODE_PACKAGE = `node-${process.platform}-${process.arch}`;
const COMES_FOR = process.platform === 'linux' || process.platform === 'darwin';

/** By version, the ways that it has to load a module of ours. */
const VERSIONS = { '20.20.2': ['import', 'require'], '18.20.8': ['import'] } as const;

const skip = COMES_FOR ? false : 'no package of npm brings an older Node for this platform';

describe('with an older Node', { timeout: TIMEOUT_MS, skip }, () => {
  const nodes = new Map<string, Consumer>();
  let consumer: Consumer;

  before(async () => {
    ({ consumer } = await Consumer.withTroupe());
    await consumer.write({
      'import.cjs': `import(process.argv[2]).catch(({ code, message }) => console.log(code, message));`,
      'require.cjs': `try { require(process.argv[2]) } catch ({ code, message }) { console.log(code, message) }`,
    });
    for (const version of Object.keys(VERSIONS)) {
      const node = await Consumer.create();
      nodes.set(version, node);
      await node.npm(['install', `${NODE_PACKAGE}@${version}`]);
    }
  });
  after(async () => {
    for (const folder of [consumer, ...nodes.values()]) await folder[Symbol.asyncDispose]();
  });

  const on = (version: string) => ({
    nodeFolder: join(nodes.get(version)?.folder ?? '', 'node_modules', NODE_PACKAGE, 'bin'),
  });

  for (const [version, ways] of Object.entries(VERSIONS)) {
    for (const entry of ENTRIES) {
      for (const way of ways) {
        it(`${version}, ${way} of ${entry} says NODE_TOO_OLD`, async () => {
          const { stdout } = await consumer.run('node', [`${way}.cjs`, entry], on(version));
          assert.equal(
            stdout,
            `NODE_TOO_OLD Troupe needs Node.js 22.19 or newer, this is ${version}. Install a current Node.js\n`,
          );
        });
      }
    }

    it(`${version}, the command line says NODE_TOO_OLD`, async () => {
      const bin = join('node_modules', 'troupe', 'dist', 'src', 'cli', 'bin.js');
      await assert.rejects(consumer.run('node', [bin, 'inspect'], on(version)), {
        code: 1,
        stderr: /^troupe: Troupe needs Node\.js 22\.19 or newer, this is .* \[NODE_TOO_OLD\]\n$/,
      });
    });
  }
});
