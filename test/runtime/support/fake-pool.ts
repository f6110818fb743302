/** A ref to a pool that is the test itself: which member comes, and which goes, is decided there. */
import { LoadBoard } from '../../../runtime/board/load-board.ts';
import { DeadLetters } from '../../../runtime/dead-letters.ts';
import { ActorError } from '../../../runtime/errors.ts';
import { ask, protocol, tell } from '../../../runtime/protocol.ts';
import { ActorRef } from '../../../runtime/ref/actor-ref.ts';
import { createRefEnvironment, type RefEnvironment } from '../../../runtime/ref/environment.ts';
import { RefCore } from '../../../runtime/ref/ref-core.ts';
import type { RoutingPolicyName } from '../../../runtime/routing/routing-policy.ts';
import { InProcessTransport } from '../../../runtime/transport/in-process.ts';
import { encodeError } from '../../../runtime/wire/error-codec.ts';
import { FakeActor } from './fake-actor.ts';

export const numbers = protocol('numbers', {
  echo: ask<unknown, unknown>(),
  note: tell<number>(),
  noteAny: tell<unknown>(),
});

/** What its members die of. */
export const died = new ActorError('it died of hunger', { code: 'ACTOR_DIED' });

export class FakePool {
  readonly feed: InProcessTransport;
  readonly ref: ActorRef<typeof numbers>;
  readonly letters = new DeadLetters();
  readonly environment: RefEnvironment = createRefEnvironment(LoadBoard.create(8), this.letters);
  readonly #actors: FakeActor[] = [];

  constructor(policy: RoutingPolicyName = 'least-loaded', size = 1, messages = 8) {
    const [mine, theirs] = InProcessTransport.pair();
    this.feed = mine;
    const members = Array.from({ length: size }, (_, index) => `pool/${index}`);
    const token = { name: 'pool', policy, members, transport: 'thread' as const, outbox: 4 };
    const core = new RefCore({ ...token, window: { messages, kib: 1024 }, feed: theirs }, this.environment);
    this.ref = new ActorRef<typeof numbers>(core);
  }

  up(index = 0): FakeActor {
    const actor = new FakeActor();
    this.#actors.push(actor);
    const { token: port } = actor.client.detach();
    const channel = { port, ...actor.memory };
    const holder = this.#actors.length;
    this.feed.post({ t: 'up', member: `pool/${index}`, channel, boardSlot: index, holder });
    return actor;
  }

  down(index = 0): void {
    this.feed.post({ t: 'down', member: `pool/${index}`, error: encodeError(died) });
  }

  /** No member will come any more. */
  over(): void {
    this.feed.post({ t: 'closed', error: encodeError(died) });
  }

  end(): void {
    this.ref.close();
    for (const actor of this.#actors) actor.die();
  }
}

/** The feed is of this thread: what it says is heard in microtasks, before any port is read. */
export async function heard(): Promise<void> {
  for (let i = 0; i < 8; i++) await Promise.resolve();
}
