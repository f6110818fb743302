import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  type Candidate,
  type RoutingPolicyName,
  routingPolicy,
} from '../../../runtime/routing/routing-policy.ts';

const member = (name: string, load = 0): Candidate => ({ name, load: () => load });
const NAMES: readonly RoutingPolicyName[] = ['round-robin', 'least-loaded', 'sticky', 'pinned'];
const policyFor = (name: RoutingPolicyName, pool: readonly Candidate[] = []) =>
  routingPolicy(
    name,
    pool.map((candidate) => candidate.name),
  );

for (const name of NAMES) {
  test(`${name}: nobody is chosen from nobody`, () => {
    assert.equal(policyFor(name).choose([]), undefined);
  });

  test(`${name}: a single member is always chosen`, () => {
    const policy = policyFor(name);
    const only = member('only', 9);
    assert.deepEqual([policy.choose([only]), policy.choose([only])], [only, only]);
  });

  test(`${name}: equally loaded members take turns when there is no key`, () => {
    const members = [member('a'), member('b'), member('c')];
    const policy = policyFor(name, members);
    const chosen = [1, 2, 3, 4].map(() => policy.choose(members)?.name);
    assert.deepEqual(chosen, ['a', 'b', 'c', 'a']);
  });
}

test('round-robin goes on when members leave', () => {
  const policy = policyFor('round-robin');
  const [a, b, c] = [member('a'), member('b'), member('c')];
  policy.choose([a, b, c]);
  policy.choose([a, b, c]);
  assert.equal(policy.choose([a]), a);
  assert.equal(policy.choose([a, b]), a);
  assert.equal(policy.choose([a, b]), b);
});

test('least-loaded takes the member with the least to do, wherever its turn stands', () => {
  const policy = policyFor('least-loaded');
  const members = [member('a', 3), member('b', 1), member('c', 2)];
  assert.deepEqual(
    [1, 2, 3].map(() => policy.choose(members)?.name),
    ['b', 'b', 'b'],
  );
});

test('least-loaded: equals take turns among busier ones', () => {
  const policy = policyFor('least-loaded');
  const members = [member('a', 1), member('b', 5), member('c', 1)];
  assert.deepEqual(
    [1, 2, 3, 4].map(() => policy.choose(members)?.name),
    ['a', 'c', 'a', 'c'],
  );
});

const POOL = ['encoder-0', 'encoder-1', 'encoder-2', 'encoder-3'].map((name) => member(name));
const KEYS = Array.from({ length: 2_000 }, (_, index) => `request-${index}`);
const homesIn = (pool: readonly Candidate[]): (string | undefined)[] => {
  const policy = policyFor('sticky', pool);
  return KEYS.map((key) => policy.home?.(key, pool));
};

test('sticky: a key has one home, whatever the order of the members and whoever asks', () => {
  assert.deepEqual(homesIn(POOL), homesIn(POOL.toReversed()));
});

test('sticky: when a member leaves only its keys move, and return with it', () => {
  const before = homesIn(POOL);
  const after = homesIn(POOL.filter((candidate) => candidate.name !== 'encoder-2'));
  for (const [index, home] of before.entries()) {
    if (home === 'encoder-2') assert.notEqual(after[index], 'encoder-2');
    else assert.equal(after[index], home);
  }
});

test('sticky: keys spread evenly', () => {
  const homes = homesIn(POOL);
  for (const { name } of POOL) {
    const share = homes.filter((home) => home === name).length / KEYS.length;
    assert.ok(share > 0.22 && share < 0.28, `${name} has ${share}`);
  }
});

test('sticky: load does not move a key', () => {
  const policy = policyFor('sticky');
  const home = policy.home?.('key', POOL);
  const busy = POOL.map(({ name }) => member(name, name === home ? 100 : 0));
  assert.equal(policy.home?.('key', busy), home);
});

test('pinned: a key has one home, also while it is not there', () => {
  const policy = policyFor('pinned', POOL);
  for (const [index, home] of homesIn(POOL).entries())
    assert.equal(policy.home?.(KEYS[index] ?? '', []), home);
});

test('without sticky or pinned a key means nothing', () => {
  assert.equal(policyFor('round-robin', POOL).home, undefined);
  assert.equal(policyFor('least-loaded', POOL).home, undefined);
});
