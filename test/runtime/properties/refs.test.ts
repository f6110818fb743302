/** A ref whose actors begin, answer and die as it comes, and whose callers ask, tell and leave: what must hold whatever the order. */
import assert from 'node:assert/strict';
import { it } from 'node:test';
import fc from 'fast-check';
import { LoadBoard } from '../../../runtime/board/load-board.ts';
import { DeadLetters } from '../../../runtime/dead-letters.ts';
import { ActorError } from '../../../runtime/errors.ts';
import { ask, protocol, tell } from '../../../runtime/protocol.ts';
import { ActorRef } from '../../../runtime/ref/actor-ref.ts';
import { createRefEnvironment } from '../../../runtime/ref/environment.ts';
import { RefCore } from '../../../runtime/ref/ref-core.ts';
import { InProcessTransport } from '../../../runtime/transport/in-process.ts';
import { encodeError } from '../../../runtime/wire/error-codec.ts';
import { CHECKED } from '../support/checked.ts';
import { FakeActor } from '../support/fake-actor.ts';

const numbers = protocol('numbers', { echo: ask<number, number>(), note: tell<number>() });
const ALL_MEMBERS = ['pool/0', 'pool/1'];

type Step =
  | { readonly do: 'ask' | 'tell' | 'send'; readonly key: string | undefined }
  | { readonly do: 'abort'; readonly which: number }
  | { readonly do: 'work'; readonly member: number; readonly count: number }
  | { readonly do: 'die' | 'up'; readonly member: number }
  | { readonly do: 'turn' };

const member = fc.nat({ max: ALL_MEMBERS.length - 1 });
const step: fc.Arbitrary<Step> = fc.oneof(
  {
    weight: 6,
    arbitrary: fc.record({
      do: fc.constantFrom('ask' as const, 'tell' as const, 'send' as const),
      key: fc.constantFrom(undefined, 'a', 'b'),
    }),
  },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('abort' as const), which: fc.nat({ max: 50 }) }) },
  {
    weight: 3,
    arbitrary: fc.record({ do: fc.constant('work' as const), member, count: fc.nat({ max: 4 }) }),
  },
  { weight: 2, arbitrary: fc.record({ do: fc.constantFrom('die' as const, 'up' as const), member }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('turn' as const) }) },
);

class World {
  readonly #feed: InProcessTransport;
  readonly #ref: ActorRef<typeof numbers>;
  readonly #actors = new Map<number, { readonly actor: FakeActor; begun: number; answered: number }>();
  readonly #aborts: AbortController[] = [];
  /** Of each message, by its number. */
  readonly executed = new Map<number, number>();
  readonly settled = new Map<number, number>();
  readonly outcomes = new Map<number, unknown>();
  readonly waited: number[] = [];
  /** In the order of execution, by incarnation. */
  readonly #orderOf = new Map<FakeActor, number[]>();
  #next = 0;

  readonly #members: readonly string[];

  constructor(size: number) {
    this.#members = ALL_MEMBERS.slice(0, size);
    const [mine, theirs] = InProcessTransport.pair();
    this.#feed = mine;
    this.#ref = new ActorRef(
      new RefCore(
        {
          name: 'pool',
          policy: 'sticky',
          members: this.#members,
          transport: 'thread',
          outbox: 5,
          window: { messages: 3, kib: 64 },
          feed: theirs,
        },
        createRefEnvironment(LoadBoard.create(4), new DeadLetters()),
      ),
    );
  }

  async take(one: Step): Promise<void> {
    switch (one.do) {
      case 'ask':
      case 'send':
      case 'tell':
        this.#say(one.do, one.key);
        break;
      case 'abort':
        this.#aborts[one.which]?.abort();
        break;
      case 'work':
        this.#work(one.member, one.count);
        break;
      case 'up':
        this.#up(one.member);
        break;
      case 'die':
        this.#die(one.member);
        break;
      case 'turn':
        await new Promise(setImmediate);
    }
  }

  /** Everything that waits is done, and then the ref is closed. */
  async finish(): Promise<void> {
    for (const index of this.#members.keys()) this.#up(index);
    for (let idle = 0; idle < 3; idle++) {
      await new Promise(setImmediate);
      for (const index of this.#members.keys()) if (this.#work(index, 100) > 0) idle = 0;
    }
    this.#ref.close();
    await new Promise(setImmediate);
    for (const { actor } of this.#actors.values()) actor.die();
  }

  #say(kind: 'ask' | 'tell' | 'send', routeKey: string | undefined): void {
    const number = this.#next++;
    const abort = new AbortController();
    this.#aborts.push(abort);
    const options = { routeKey, signal: abort.signal };
    if (kind === 'tell') {
      this.outcomes.set(number, this.#ref.tell('note', number, options));
      return;
    }
    this.waited.push(number);
    const result =
      kind === 'ask' ? this.#ref.ask('echo', number, options) : this.#ref.send('note', number, options);
    const settle = (outcome: unknown) => {
      this.settled.set(number, (this.settled.get(number) ?? 0) + 1);
      this.outcomes.set(number, outcome);
    };
    void Promise.resolve(result).then((answer) => settle(answer ?? 'sent'), settle);
  }

  #up(index: number): void {
    if (this.#actors.has(index) || index >= this.#members.length) return;
    const actor = new FakeActor();
    this.#actors.set(index, { actor, begun: 0, answered: 0 });
    const { token: port } = actor.client.detach();
    this.#feed.post({
      t: 'up',
      member: this.#members[index] ?? '',
      channel: { port, ...actor.memory },
      boardSlot: index,
      holder: index + 1,
    });
  }

  #die(index: number): void {
    const one = this.#actors.get(index);
    if (one === undefined) return;
    this.#actors.delete(index);
    one.actor.die();
    const error = encodeError(new ActorError('died', { code: 'ACTOR_DIED' }));
    this.#feed.post({ t: 'down', member: this.#members[index] ?? '', error });
  }

  /** Begins some messages, and answers those before. */
  #work(index: number, count: number): number {
    const one = this.#actors.get(index);
    if (one === undefined) return 0;
    one.actor.read();
    let done = 0;
    for (; done < count && one.begun < one.actor.got.length; done++) {
      const message = one.actor.got[one.begun];
      const number = Number(message?.payload);
      one.actor.begin(1);
      this.executed.set(number, (this.executed.get(number) ?? 0) + 1);
      one.begun += 1;
      this.#note(one.actor, number);
    }
    // The last is still under way, until the actor is given nothing to begin.
    const ended = done === 0 ? one.begun : one.begun - 1;
    for (; one.answered < ended; one.answered++) {
      const message = one.actor.got[one.answered];
      if (message?.t === 'ask') one.actor.answer(one.answered, Number(message.payload));
    }
    return done;
  }

  #note(actor: FakeActor, number: number): void {
    const order = this.#orderOf.get(actor) ?? [];
    order.push(number);
    this.#orderOf.set(actor, order);
  }

  get executedOrders(): readonly (readonly number[])[] {
    return [...this.#orderOf.values()];
  }
}

const CASES = [
  [1, 'executes at most once, in order, and settles everything once'],
  // What a dead member had not begun goes to another one, behind what is there: there is no order across members.
  [2, 'executes at most once and settles everything once'],
] as const;

for (const [size, promise] of CASES) {
  it(`a ref to ${size} of a kind ${promise}, whatever happens when`, async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(step, { minLength: 20, maxLength: 100, size: 'max' }), async (steps) => {
        const world = new World(size);
        for (const one of steps) await world.take(one);
        await world.finish();
        for (const [number, times] of world.executed) assert.equal(times, 1, `message ${number}`);
        const order = world.executedOrders.flat();
        if (size === 1)
          assert.deepEqual(
            order,
            order.toSorted((a, b) => a - b),
          );
        for (const number of world.waited) {
          assert.equal(world.settled.get(number), 1, `message ${number} settled`);
          const outcome = world.outcomes.get(number);
          const wasExecuted = world.executed.has(number);
          if (!(outcome instanceof ActorError)) {
            if (outcome !== 'sent') assert.equal(outcome, number);
            assert(wasExecuted, `message ${number} was said to be done or sent`);
          } else if (outcome.retrySafe) assert(!wasExecuted, `message ${number} was said to be safe`);
        }
      }),
      CHECKED,
    );
  });
}
