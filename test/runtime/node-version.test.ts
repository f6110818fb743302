import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { describe, it } from 'node:test';
import { nodeTooOld, OLDEST_NODE } from '../../runtime/node-version.ts';

describe('the version of Node', () => {
  it('that is needed is the one that package.json names', () => {
    const { engines } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
    assert.equal(engines.node, `>=${OLDEST_NODE}`);
  });

  it('is too old below it, with a code and a remedy', () => {
    for (const version of ['18.20.8', '20.20.2', '22.18.0']) {
      const error = nodeTooOld(version);
      assert.equal(error?.code, 'NODE_TOO_OLD');
      assert.equal(
        error.message,
        `Troupe needs Node.js 22.19 or newer, this is ${version}. Install a current Node.js`,
      );
    }
  });

  it('is new enough from there on', () => {
    for (const version of ['22.19.0', '22.20.1', '24.0.0', '26.1.0-nightly2026']) {
      assert.equal(nodeTooOld(version), undefined);
    }
  });
});
