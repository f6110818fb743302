import assert from 'node:assert/strict';
import { cellsOf, FlowReceiver } from '../../../runtime/channel/flow-control.ts';
import { type Place, TellPlaces } from '../../../runtime/channel/tells-under-way.ts';
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
  readonly #places: TellPlaces;
  /** Of what was begun, in order, whatever it is. */
  readonly #begun: Place[] = [];
  #ended = 0;
  #isLast = false;

  constructor() {
    const [mine, theirs] = MessagePortTransport.pair();
    this.#port = mine;
    this.client = theirs;
    this.#places = new TellPlaces(cellsOf(this.memory.flow, 'normal'), (cells) =>
      mine.post({ t: 'table', priority: 'normal', cells }),
    );
    mine.listen({
      onMessage: (message) => {
        if (message.t === 'ask' || message.t === 'tell' || message.t === 'open') this.got.push(message);
        else if (message.t === 'cancel') this.cancelled.push(message.id);
        else if (message.t === 'last') {
          this.#isLast = true;
          this.#sayIfAllEnded();
        }
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
    for (let i = 0; i < count; i++) {
      this.#begun.push(this.#places.take(this.#receiver.started));
      if (this.#receiver.start(0)) this.#port.post({ t: 'credit' });
    }
  }

  /** Ends what it was told as the so-manieth message. */
  end(index: number): void {
    const place = this.#begun[index];
    assert(place !== undefined);
    this.#places.giveBack(place);
    this.#ended += 1;
    this.#sayIfAllEnded();
  }

  #sayIfAllEnded(): void {
    if (this.#isLast && this.#ended === this.got.length) this.#port.post({ t: 'credit' });
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
