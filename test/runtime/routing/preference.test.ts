import assert from 'node:assert/strict';
import process from 'node:process';
import { afterEach, beforeEach, describe, it } from 'node:test';
import { type Candidate, routingPolicy } from '../../../runtime/routing/routing-policy.ts';

const members = [
  { name: 'a', load: () => 3 },
  { name: 'b', load: () => 1 },
] satisfies Candidate[];

type Warning = Error & { readonly code?: string };

describe('least-loaded', () => {
  const warnings: Warning[] = [];
  const onWarning = (warning: Warning) => void warnings.push(warning);
  /** A warning is given in the next tick. */
  const warned = async () => {
    await new Promise((resolve) => process.nextTick(resolve));
    return warnings;
  };

  beforeEach(() => {
    warnings.length = 0;
    process.on('warning', onWarning);
  });
  afterEach(() => void process.off('warning', onWarning));

  it('a preferred member may have as much more to do as it is preferred by', () => {
    const policy = routingPolicy('least-loaded', ['a', 'b']);
    const chosen = [0, 1, 2.5].map((by) => policy.choose(members, (name) => (name === 'a' ? by : 0))?.name);
    assert.deepEqual(chosen, ['b', 'b', 'a']);
  });

  it('a prefer that throws prefers nobody, and is reported once', async () => {
    const policy = routingPolicy('least-loaded', ['a', 'b']);
    const prefer = () => {
      throw new Error('a bug of the user');
    };
    assert.deepEqual(
      [policy.choose(members, prefer)?.name, policy.choose(members, prefer)?.name],
      ['b', 'b'],
    );
    const [warning, ...more] = await warned();
    assert.deepEqual([warning?.code, more], ['PREFER_FAILED', []]);
    assert.match(warning?.message ?? '', /a bug of the user/);
  });

  for (const given of [Number.NaN, '9', undefined, 9n, Symbol('much'), Object.create(null)])
    it(`a prefer that gives ${typeof given}, no number, prefers nobody, and is reported`, async () => {
      const policy = routingPolicy('least-loaded', ['a', 'b']);
      assert.equal(policy.choose(members, (name) => (name === 'a' ? given : 0))?.name, 'b');
      assert.deepEqual(
        (await warned()).map(({ code }) => code),
        ['PREFER_FAILED'],
      );
    });

  it('a prefer that is async, and rejects, does not end the process', async () => {
    const policy = routingPolicy('least-loaded', ['a', 'b']);
    const prefer = (() => Promise.reject(new Error('later'))) as unknown as () => number; // without types
    assert.equal(policy.choose(members, prefer)?.name, 'b');
    await new Promise(setImmediate); // where an unhandled rejection would have failed this
    assert.equal((await warned())[0]?.code, 'PREFER_FAILED');
  });
});
