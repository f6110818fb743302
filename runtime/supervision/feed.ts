/** The feed of a pool: tells every ref of it, in order, who is up and who is down, and gives each a channel of its own. */
import { FlowSender } from '../channel/flow-control.ts';
import type { PoolFacts } from '../ref/ref-token.ts';
import { adoptPort } from '../transport/adopt.ts';
import { InProcessTransport } from '../transport/in-process.ts';
import { MessagePortTransport } from '../transport/message-port.ts';
import type { Port, PortToken } from '../transport/port.ts';
import { encodeError, type WireError } from '../wire/error-codec.ts';
import type { Incarnation } from './incarnation.ts';

/** What the feed tells of. */
export interface FeedSource {
  /** Names of all members, up or not. */
  readonly members: readonly string[];
  /** The live incarnation of each member that has one. */
  live(): readonly (readonly [string, Incarnation])[];
}

export class Feed {
  readonly #transport: PoolFacts['transport'];
  readonly #source: FeedSource;
  readonly #subscribers = new Set<Port>();
  /** Through which feeds can be asked for, and nothing is told. */
  readonly #doors = new Set<Port>();
  /** Members that were given up and are not up again, and why. */
  readonly #lost = new Map<string, WireError>();
  #closed: Error | undefined;
  #onWanted: (() => void) | undefined;
  readonly #over = Promise.withResolvers<void>();

  constructor(transport: PoolFacts['transport'], source: FeedSource) {
    this.#transport = transport;
    this.#source = source;
  }

  get isClosed(): boolean {
    return this.#closed !== undefined;
  }

  /** Resolves when it is closed. */
  get over(): Promise<void> {
    return this.#over.promise;
  }

  /** @param run when somebody subscribes for the first time */
  whenWanted(run: () => void): void {
    this.#onWanted = run;
  }

  subscribe(port: Port): void {
    if (this.#closed !== undefined) {
      dismiss(port, this.#closed);
      return;
    }
    this.#subscribers.add(port);
    this.#onWanted?.();
    this.#onWanted = undefined;
    port.post({ t: 'members', names: this.#source.members });
    this.#hearOf(port, this.#subscribers);
    for (const [member, error] of this.#lost) port.post({ t: 'lost', member, error });
    for (const [member, incarnation] of this.#source.live()) this.#announce(port, member, incarnation);
  }

  /** Its other end, for an actor that may ask for a feed. @param to where that actor lives */
  door(to: PoolFacts['transport']): PortToken {
    const [mine, theirs] = to === 'thread' ? MessagePortTransport.pair() : InProcessTransport.pair();
    this.#doors.add(mine);
    this.#hearOf(mine, this.#doors);
    return theirs.detach().token;
  }

  up(member: string, incarnation: Incarnation): void {
    this.#lost.delete(member);
    for (const subscriber of this.#subscribers) this.#announce(subscriber, member, incarnation);
  }

  down(member: string, cause: Error): void {
    const error = encodeError(cause);
    for (const subscriber of this.#subscribers) subscriber.post({ t: 'down', member, error });
  }

  /** A member will not come again. */
  lost(member: string, why: Error): void {
    const error = encodeError(why);
    this.#lost.set(member, error);
    for (const subscriber of this.#subscribers) subscriber.post({ t: 'lost', member, error });
  }

  /** There are others from now on. */
  membersChanged(): void {
    const names = this.#source.members;
    // One that comes later under such a name is another one, and has not been given up.
    for (const member of this.#lost.keys()) if (!names.includes(member)) this.#lost.delete(member);
    for (const subscriber of this.#subscribers) subscriber.post({ t: 'members', names });
  }

  /** No member will come any more. */
  close(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    for (const subscriber of this.#subscribers) dismiss(subscriber, error);
    this.#subscribers.clear();
    for (const door of this.#doors) door.close();
    this.#doors.clear();
    this.#over.resolve();
  }

  #hearOf(port: Port, among: Set<Port>): void {
    port.listen({
      onMessage: (message) => {
        if (message.t === 'subscribe') this.subscribe(adoptPort(message.port));
      },
      onClose: () => among.delete(port),
    });
  }

  /** Gives a subscriber a channel of its own to an incarnation. */
  #announce(subscriber: Port, member: string, incarnation: Incarnation): void {
    const [client, actor] = this.#transport === 'thread' ? MessagePortTransport.pair() : subscriber.pair();
    const memory = { flow: FlowSender.createBuffer(), underWay: incarnation.underWay.buffer };
    incarnation.connect({ port: actor.detach().token, ...memory });
    const { token, transfer } = client.detach();
    const { boardSlot, holder } = incarnation;
    subscriber.post({ t: 'up', member, channel: { port: token, ...memory }, boardSlot, holder }, transfer);
  }
}

/**
 * The last thing that a subscriber hears. One on this thread may have asked in the same turn for somebody else to be
 * subscribed, who has to hear it too; between threads what is not read any more is closed with its port.
 */
function dismiss(subscriber: Port, error: Error): void {
  subscriber.post({ t: 'closed', error: encodeError(error) });
  if (!subscriber.byReference) subscriber.close();
}
