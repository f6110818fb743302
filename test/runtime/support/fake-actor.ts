import assert from 'node:assert/strict';
import { FlowReceiver } from '../../../runtime/channel/flow-control.ts';
import { flushAll } from '../../../runtime/transport/departures.ts';
import { MessagePortTransport } from '../../../runtime/transport/message-port.ts';
import type { Port } from '../../../runtime/transport/port.ts';
import type { DataMessage } from '../../../runtime/wire/messages.ts';
import { channelMemory } from './channel-memory.ts';

/** One incarnation of an actor, which does only what it is told to. */
export class FakeActor {
  readonly got: DataMessage[] = [];
  /** Ids of those that were called off. */
  readonly cancelled: number[] = [];
  readonly memory = channelMemory();
  readonly client: MessagePortTransport;
  /** The client has closed the channel. */
  readonly left = Promise.withResolvers<void>();
  readonly #port: Port;
  readonly #receiver = new FlowReceiver(this.memory.flow);

  constructor() {
    const [mine, theirs] = MessagePortTransport.pair();
    this.#port = mine;
    this.client = theirs;
    mine.listen({
      onMessage: (message) => {
        if (message.t === 'ask' || message.t === 'tell' || message.t === 'open') this.got.push(message);
        else if (message.t === 'cancel') this.cancelled.push(message.id);
      },
      onClose: () => this.left.resolve(),
    });
  }

  /** Reads what was sent. */
  read(): readonly unknown[] {
    flushAll();
    this.#port.drain();
    return this.got.map(({ payload }) => payload);
  }

  /** Begins the next so many messages. */
  begin(count: number): void {
    for (let i = 0; i < count; i++) if (this.#receiver.start(0)) this.#port.post({ t: 'credit' });
  }

  answer(index: number, value: unknown): void {
    const message = this.got[index];
    assert(message?.t === 'ask');
    this.#port.post({ t: 'reply', id: message.id, value });
  }

  die(): void {
    this.#port.close();
  }
}
