import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Candidate, routingPolicy } from '../../../runtime/routing/routing-policy.ts';

const members = [
  { name: 'a', load: () => 3 },
  { name: 'b', load: () => 1 },
] satisfies Candidate[];

test('least-loaded: a preferred member may have as much more to do as it is preferred by', () => {
  const policy = routingPolicy('least-loaded', ['a', 'b']);
  const chosen = [0, 1, 2.5].map((by) => policy.choose(members, (name) => (name === 'a' ? by : 0))?.name);
  assert.deepEqual(chosen, ['b', 'b', 'a']);
});
