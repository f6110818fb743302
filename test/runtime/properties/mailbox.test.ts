/** A mailbox whose handlers take as long as it comes, while messages arrive, are left and it is closed: what must hold. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { Delivery } from '../../../runtime/actor/delivery.ts';
import { Inlet } from '../../../runtime/actor/inlet.ts';
import { Mailbox } from '../../../runtime/actor/mailbox.ts';
import { PRIORITIES, type Priority } from '../../../runtime/channel/priority.ts';
import { InProcessTransport } from '../../../runtime/transport/in-process.ts';
import { channelMemory } from '../support/channel-memory.ts';
import { CHECKED } from '../support/checked.ts';

/** What a handler does: computes for so many ms, and then perhaps waits. */
interface Work {
  readonly ms: number;
  readonly waits: boolean;
}

type Step =
  | { readonly do: 'push'; readonly work: Work; readonly priority: Priority }
  | { readonly do: 'leave' | 'finish'; readonly which: number }
  | { readonly do: 'turn' | 'close' };

const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 30,
    arbitrary: fc.record({
      do: fc.constant('push' as const),
      priority: fc.constantFrom(...PRIORITIES),
      work: fc.record({ ms: fc.constantFrom(0, 0, 0.05, 0.3, 2), waits: fc.boolean() }),
    }),
  },
  {
    weight: 15,
    arbitrary: fc.record({
      do: fc.constantFrom('leave' as const, 'finish' as const),
      which: fc.nat({ max: 20 }),
    }),
  },
  { weight: 15, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('close' as const) }) },
);

const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

class World {
  readonly #box: Mailbox;
  readonly #inlet: Inlet;
  readonly #concurrency: number;
  readonly #works = new Map<Delivery, Work>();
  readonly #pushed: Delivery[] = [];
  readonly #underWay: PromiseWithResolvers<void>[] = [];
  readonly #left = new Set<Delivery>();
  /** In the order in which they left the mailbox. */
  readonly #taken: Delivery[] = [];
  #returned: readonly Delivery[] = [];
  #failure: unknown;
  #now = 0;

  constructor(concurrency: number) {
    this.#concurrency = concurrency;
    const [port] = InProcessTransport.pair();
    const owner = { holder: 1, onDelivery() {}, onClose() {} };
    this.#inlet = new Inlet({ port, ...channelMemory() }, owner);
    const handle = (delivery: Delivery) => {
      try {
        return this.#handle(delivery);
      } catch (failure) {
        this.#failure ??= failure; // a handler never throws; the property fails at the next step
        return undefined;
      }
    };
    this.#box = new Mailbox(concurrency, { handle, onChange() {} }, () => this.#now);
  }

  async take(one: Step): Promise<void> {
    switch (one.do) {
      case 'push':
        this.#push(one.work, one.priority);
        break;
      case 'leave':
        this.#leave(this.#pushed[one.which]);
        break;
      case 'finish':
        this.#underWay.splice(one.which % Math.max(1, this.#underWay.length), 1)[0]?.resolve();
        await Promise.resolve();
        break;
      case 'turn':
        await turn();
        break;
      case 'close':
        this.#returned = [...this.#returned, ...this.#box.close()];
    }
    if (this.#failure !== undefined) throw this.#failure;
    assert.equal(this.#box.size, this.#pushed.length - this.#taken.length - this.#returned.length);
  }

  /** Until nothing waits any more. */
  async finish(): Promise<void> {
    while (this.#box.size > 0 || this.#underWay.length > 0) {
      for (const handler of this.#underWay.splice(0)) handler.resolve();
      await turn();
    }
    this.#box.close();
    await this.#box.idle();
    if (this.#failure !== undefined) throw this.#failure;
    const out = [...this.#taken, ...this.#returned];
    assert.equal(out.length, this.#pushed.length, 'each once');
    for (const priority of PRIORITIES) {
      const ofIt = (delivery: Delivery) => delivery.priority === priority;
      assert.deepEqual(out.filter(ofIt), this.#pushed.filter(ofIt), 'in order');
    }
  }

  #push(work: Work, priority: Priority): void {
    if (this.#box.isClosed) return;
    const message = {
      t: 'tell',
      method: `takes ${work.ms}`,
      payload: undefined,
      bytes: 0,
      priority,
    } as const;
    const delivery = new Delivery(this.#inlet, message, undefined);
    this.#works.set(delivery, work);
    this.#pushed.push(delivery);
    this.#box.push(delivery);
  }

  #leave(delivery: Delivery | undefined): void {
    if (delivery === undefined || this.#taken.includes(delivery)) return;
    delivery.interrupt(new Error('left'));
    this.#left.add(delivery);
  }

  #handle(delivery: Delivery): Promise<void> | undefined {
    assert.equal(this.#returned.length, 0, 'nothing starts once it is closed');
    this.#taken.push(delivery);
    assert.equal(delivery.left !== undefined, this.#left.has(delivery), 'who left before is known to have');
    if (delivery.left !== undefined) return undefined;
    assert(this.#box.handling <= this.#concurrency);
    const { ms, waits } = this.#works.get(delivery) ?? { ms: 0, waits: false };
    this.#now += ms;
    if (!waits) return undefined;
    const handler = Promise.withResolvers<void>();
    this.#underWay.push(handler);
    return handler.promise;
  }
}

it('a mailbox gives out each message once, in order of its priority, within its concurrency, whatever happens when', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.integer({ min: 1, max: 3 }),
      fc.array(step, { minLength: 10, maxLength: 60, size: 'max' }),
      async (concurrency, steps) => {
        const world = new World(concurrency);
        for (const one of steps) await world.take(one);
        await world.finish();
      },
    ),
    CHECKED,
  );
});
