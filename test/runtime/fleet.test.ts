/** What an incarnation is given, and that it comes back where none can be made. */
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { it } from 'node:test';
import { MessageChannel } from 'node:worker_threads';
import { DEFAULT_WINDOW } from '../../runtime/channel/flow-control.ts';
import { DeadLetters } from '../../runtime/dead-letters.ts';
import type { OwnRefToken } from '../../runtime/ref/own-ref.ts';
import type { WatchdogOptions } from '../../runtime/supervision/watchdog.ts';
import { Fleet } from '../../runtime/system/fleet.ts';
import type { ActorSystemOptions } from '../../runtime/system/system-options.ts';
import { probeActor } from './actors/probe-protocol.ts';

const FACTS: OwnRefToken['facts'] = {
  name: 'pool',
  policy: 'least-loaded',
  members: ['pool/0'],
  transport: 'thread',
  window: DEFAULT_WINDOW,
  outbox: 1,
  only: 'pool/0',
};
const UNCLONEABLE = { callback() {} };

function fleet(options: ActorSystemOptions = {}) {
  const [self, children] = [new MessageChannel(), new MessageChannel()];
  const made = new Fleet(options, new DeadLetters(), { onHung() {}, onLeft() {} }, () => ({
    facts: FACTS,
    door: children.port1,
  }));
  const beginning = {
    name: 'pool/0',
    index: 0,
    self: { facts: FACTS, door: self.port1 },
    inherited: undefined,
  };
  const fails = () => made.onThread(beginning, probeActor.module, UNCLONEABLE, undefined);
  return { fleet: made, fails, children };
}

it('a limit of the watchdog that is given as undefined has its default', () => {
  const watchdog = { turnMs: undefined, setUpMs: undefined } as unknown as WatchdogOptions; // as a program without types does
  const { periodMs } = fleet({ watchdog }).fleet.watchdog;
  assert.equal(periodMs, fleet().fleet.watchdog.periodMs);
});

it('a slot of the load board comes back when no thread can be made', () => {
  const { fleet: made, fails } = fleet();
  assert.throws(fails, { code: 'PROTOCOL_VIOLATION' });
  assert.equal(made.board.claim(), 0);
});

it('nobody is taken for alive when no thread can be made', () => {
  const { fleet: made, fails } = fleet();
  assert.throws(fails, { code: 'PROTOCOL_VIOLATION' });
  assert.equal(made.isAlive(1), false, 'holders are counted from 1');
});

it('the door to whoever spawns is closed when no thread can be made', async () => {
  const { fails, children } = fleet();
  const closed = once(children.port2, 'close');
  assert.throws(fails, { code: 'PROTOCOL_VIOLATION' });
  await closed;
});
