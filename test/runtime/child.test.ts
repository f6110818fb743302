import assert from 'node:assert/strict';
import { it } from 'node:test';
import { UnderWay } from '../../runtime/channel/under-way.ts';
import { Child, type ChildEvents } from '../../runtime/supervision/child.ts';
import type { Exit, Incarnation } from '../../runtime/supervision/incarnation.ts';
import { DEFAULT_RESTART_POLICY } from '../../runtime/supervision/restart-policy.ts';

it('an actor that may take any time to stop is left by a second stop that gives it less', async () => {
  let abandoned = 0;
  const never = new Promise<Exit>(() => {});
  const incarnation: Incarnation = {
    holder: 1,
    boardSlot: 0,
    underWay: new UnderWay(),
    threadId: undefined,
    begun: Promise.resolve(),
    quiet: never.then(() => {}),
    exited: never,
    ended: never.then(() => {}),
    start: async () => {},
    connect() {},
    stats: async () => ({}),
    control: async () => undefined,
    retire: async () => undefined,
    stop: () => new Promise(() => {}),
    abandon() {
      abandoned += 1;
    },
    lost() {},
    crash() {},
  };
  const events: ChildEvents = {
    onUp() {},
    onDown() {},
    onRestarting() {},
    onEscalated() {},
    onQuarantined() {},
  };
  const child = new Child('pool/1', () => incarnation, DEFAULT_RESTART_POLICY, events);
  await child.start();
  void child.stop(60_000, 'served elsewhere');
  assert.equal(await child.stop(1), 'quarantined');
  assert.equal(abandoned, 1);
  assert.equal(child.state, 'quarantined');
});
