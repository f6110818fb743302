/** What a feed tells those who come later. The test is the pool. */
import assert from 'node:assert/strict';
import { beforeEach, describe, it } from 'node:test';
import { UnderWay } from '../../../runtime/channel/under-way.ts';
import { ActorError } from '../../../runtime/errors.ts';
import { Feed } from '../../../runtime/supervision/feed.ts';
import type { Exit, Incarnation } from '../../../runtime/supervision/incarnation.ts';
import { InProcessTransport } from '../../../runtime/transport/in-process.ts';

const never = new Promise<Exit>(() => {});
const INCARNATION: Incarnation = {
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
  stop: async () => {},
  abandon() {},
  otherOver() {},
  crash() {},
};
const GIVEN_UP = new ActorError('given up', { code: 'ACTOR_ESCALATED' });

describe('a feed', () => {
  let members: readonly string[];
  let live: Set<string>;
  let feed: Feed;

  beforeEach(() => {
    members = ['pool/0', 'pool/1'];
    live = new Set(members);
    feed = new Feed('local', {
      get members() {
        return members;
      },
      live: () => [...live].map((member) => [member, INCARNATION] as const),
    });
  });

  function up(member: string): void {
    live.add(member);
    feed.up(member, INCARNATION);
  }
  function lose(member: string): void {
    live.delete(member);
    feed.lost(member, GIVEN_UP);
  }
  function resize(...names: string[]): void {
    members = names;
    feed.membersChanged();
  }
  /** What somebody hears who comes now. */
  function heard(): string[] {
    const [mine, theirs] = InProcessTransport.pair();
    const said: string[] = [];
    mine.listen({
      onMessage(message) {
        if (message.t === 'up' || message.t === 'lost') said.push(`${message.t} ${message.member}`);
      },
      onClose() {},
    });
    feed.subscribe(theirs);
    mine.drain();
    return said;
  }

  it('says which members were given up', () => {
    lose('pool/1');
    assert.deepEqual(heard(), ['lost pool/1', 'up pool/0']);
  });

  it('does not say so of one that is up again', () => {
    lose('pool/1');
    up('pool/1');
    assert.deepEqual(heard(), ['up pool/0', 'up pool/1']);
  });

  it('does not say so of one that comes under the name of one that has left', () => {
    lose('pool/1');
    resize('pool/0');
    resize('pool/0', 'pool/1');
    assert.deepEqual(heard(), ['up pool/0']);
  });
});
