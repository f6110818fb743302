import assert from 'node:assert/strict';
import { describe, it } from 'node:test';
import { UnderWay } from '../../runtime/channel/under-way.ts';
import { Child, type ChildEvents } from '../../runtime/supervision/child.ts';
import type { Exit, Incarnation } from '../../runtime/supervision/incarnation.ts';
import { DEFAULT_RESTART_POLICY } from '../../runtime/supervision/restart-policy.ts';

/** A life that does only what a test tells it to. */
class FakeIncarnation implements Incarnation {
  readonly holder = 1;
  readonly boardSlot = 0;
  readonly underWay = new UnderWay();
  readonly threadId = undefined;
  readonly begun = Promise.resolve();
  readonly exit = Promise.withResolvers<Exit>();
  readonly exited = this.exit.promise;
  readonly quiet = this.exited.then(() => {});
  readonly ended = this.exited.then(() => {});
  readonly started: Promise<void>;
  readonly handOver = Promise.withResolvers<unknown>();
  abandoned = 0;
  stops = 0;

  /** @param started when its setup is done. Default: at once */
  constructor(started: Promise<void> = Promise.resolve()) {
    this.started = started;
  }

  start(): Promise<void> {
    return this.started;
  }
  connect(): void {}
  async stats() {
    return {};
  }
  async control(): Promise<unknown> {
    return undefined;
  }
  retire(): Promise<unknown> {
    return this.handOver.promise;
  }
  async stop(): Promise<void> {
    this.stops += 1;
    await this.exited;
  }
  abandon(): void {
    this.abandoned += 1;
  }
  otherOver(): void {}
  crash(): void {}
}

/** Writes down what happens to a child. */
class Diary implements ChildEvents {
  readonly seen: string[] = [];

  onUp(): void {
    this.seen.push('up');
  }
  onDown(_child: Child, _incarnation: Incarnation, exit: Exit): void {
    this.seen.push(`down: ${exit.kind}`);
  }
  onRestarting(): void {
    this.seen.push('restarting');
  }
  onEscalated(): void {
    this.seen.push('escalated');
  }
  onQuarantined(): void {
    this.seen.push('quarantined');
  }
  onEnded(): void {
    this.seen.push('ended');
  }
}

const STOPPED = { kind: 'stopped' } as const;

function childOf(incarnate: (inherited: unknown) => Incarnation) {
  const diary = new Diary();
  return { diary, child: new Child('pool/1', incarnate, DEFAULT_RESTART_POLICY, diary) };
}

describe('an actor', () => {
  it('that may take any time to stop is left by a second stop that gives it less', async () => {
    const incarnation = new FakeIncarnation();
    const { child } = childOf(() => incarnation);
    await child.start();
    const first = child.stop(60_000, 'served elsewhere');
    assert.equal(await child.stop(1), 'quarantined');
    assert.equal(incarnation.abandoned, 1);
    assert.equal(child.state, 'quarantined');
    incarnation.exit.resolve(STOPPED);
    assert.equal(await first, 'quarantined');
  });

  it('that is stopped while it starts is not up any more, and its end is heard of', async () => {
    const setUp = Promise.withResolvers<void>();
    const incarnation = new FakeIncarnation(setUp.promise);
    const { child, diary } = childOf(() => incarnation);
    const started = child.start();
    const stopped = child.stop(60_000);
    setUp.resolve();
    await assert.rejects(started, { code: 'ACTOR_STOPPED' });
    incarnation.exit.resolve(STOPPED);
    assert.equal(await stopped, 'stopped');
    assert.deepEqual(diary.seen, ['down: stopped']);
  });

  it('that is stopped while its arguments are made is ended before it starts', async () => {
    const incarnation = new FakeIncarnation();
    incarnation.exit.resolve(STOPPED);
    const { child, diary } = childOf(() => {
      void child.stop(60_000);
      return incarnation;
    });
    await assert.rejects(child.start(), { code: 'ACTOR_STOPPED' });
    assert.equal(incarnation.stops, 1);
    assert.deepEqual(diary.seen, ['down: stopped']);
  });

  it('that is stopped while it is renewed is waited for, and no other begins', async () => {
    const incarnation = new FakeIncarnation();
    const { child, diary } = childOf(() => incarnation);
    await child.start();
    const renewed = child.renew(60_000);
    const stopped = child.stop(60_000);
    incarnation.handOver.resolve(undefined);
    await renewed;
    assert.equal(child.state, 'stopping');
    incarnation.exit.resolve(STOPPED);
    assert.equal(await stopped, 'stopped');
    assert.deepEqual(diary.seen, ['up', 'down: stopped']);
  });

  it('that is stopped while it is renewed is ended when it has handed over', async () => {
    const incarnation = new FakeIncarnation();
    const { child } = childOf(() => incarnation);
    await child.start();
    const renewed = child.renew(60_000);
    const stopped = child.stop(60_000);
    assert.equal(incarnation.stops, 0);
    incarnation.handOver.resolve(undefined);
    incarnation.exit.resolve(STOPPED);
    await Promise.all([renewed, stopped]);
    assert.equal(incarnation.stops, 1);
  });

  it('that is stopped while it is renewed, and does not end, is left once', async () => {
    const incarnation = new FakeIncarnation();
    const { child, diary } = childOf(() => incarnation);
    await child.start();
    const renewed = child.renew(1);
    assert.equal(await child.stop(1), 'quarantined');
    await renewed;
    assert.equal(incarnation.abandoned, 1);
    assert.deepEqual(diary.seen, ['up', 'quarantined']);
  });

  it('that was left at its renewal takes nothing along when it ends at last', async () => {
    const [slow, next] = [new FakeIncarnation(), new FakeIncarnation()];
    const incarnations = [slow, next];
    const { child, diary } = childOf(() => incarnations.shift() ?? assert.fail('there is a third'));
    await child.start();
    await child.renew(1);
    slow.exit.resolve(STOPPED);
    await slow.ended;
    assert.deepEqual(diary.seen, ['up', 'quarantined', 'up', 'ended']);
    assert.equal(child.incarnation, next);
  });

  it('that was left at its renewal hands nothing over any more', async () => {
    const [slow, next, last] = [new FakeIncarnation(), new FakeIncarnation(), new FakeIncarnation()];
    const incarnations = [slow, next, last];
    const inherited: unknown[] = [];
    const { child } = childOf((state) => {
      inherited.push(state);
      return incarnations.shift() ?? assert.fail('there is a fourth');
    });
    await child.start();
    await child.renew(1);
    slow.handOver.resolve('too late');
    next.handOver.reject(new Error('has nothing'));
    next.exit.resolve(STOPPED);
    await assert.rejects(child.renew(60_000), { message: 'has nothing' });
    assert.deepEqual(inherited, [undefined, undefined, undefined]);
  });
});
