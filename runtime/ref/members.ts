/**
 * The live members behind a ref: follows the group's feed, keeps one channel to each member, and sends a message
 * to whichever the routing policy chooses among those with credit.
 */
import type { LoadBoard } from '../board/load-board.ts';
import { Channel } from '../channel/channel.ts';
import type { Outbound } from '../channel/outbound.ts';
import { ActorError, stoppedError } from '../errors.ts';
import { type RoutingPolicy, routingPolicy } from '../routing/routing-policy.ts';
import { adoptPort } from '../transport/adopt.ts';
import type { Port } from '../transport/port.ts';
import { decodeError } from '../wire/error-codec.ts';
import type { MembershipMessage, WireMessage } from '../wire/messages.ts';
import type { Reviver } from '../wire/payload-codec.ts';
import type { RefToken } from './ref-token.ts';

/**
 * What happened to the members behind a ref: one came `up`, one went `down` (it may be restarted), or the pool is
 * `closed` for good.
 */
export type WatchEvent =
  | {
      /** Whether the member can be sent messages now. */
      readonly type: 'up' | 'down';
      /** `pool/0` */
      readonly member: string;
    }
  | {
      /** No member will come any more. */
      readonly type: 'closed';
      /** Why. */
      readonly error: Error;
    };

export interface MembersOwner {
  /** There may be room: a member came, or started something. */
  onRoom(): void;
  /** A member died before it started these; they may be sent again, before anything else. */
  onUnstarted(messages: readonly Outbound[]): void;
  onEvent(event: WatchEvent): void;
}

interface Member {
  readonly name: string;
  readonly channel: Channel;
  load(): number;
}

export class Members {
  readonly #feed: Port;
  readonly #policy: RoutingPolicy;
  readonly #board: LoadBoard;
  readonly #revive: Reviver;
  readonly #owner: MembersOwner;
  readonly #members = new Map<string, Member>();
  #closed: Error | undefined;

  constructor(token: RefToken, board: LoadBoard, revive: Reviver, owner: MembersOwner) {
    this.#policy = routingPolicy(token.policy);
    this.#board = board;
    this.#revive = revive;
    this.#owner = owner;
    this.#feed = adoptPort(token.feed);
    this.#feed.listen({
      onMessage: (message) => this.#onMessage(asMembershipMessage(message)),
      onClose: () => this.close(stoppedError(token.name)),
    });
  }

  get names(): readonly string[] {
    return [...this.#members.keys()];
  }

  get size(): number {
    return this.#members.size;
  }

  /** Why there will be no members any more. */
  get closed(): Error | undefined {
    return this.#closed;
  }

  /** The port on which members come and go, to subscribe somebody else. */
  get feed(): Port {
    return this.#feed;
  }

  /** Sends; returns the function that withdraws the message, or undefined when no member has room. */
  post(message: Outbound): ((error: Error) => void) | undefined {
    const candidates: Member[] = [];
    for (const member of this.#members.values()) {
      if (member.channel.hasCredit(message.bytes)) candidates.push(member);
    }
    return this.#policy.choose(candidates, message.routeKey)?.channel.post(message);
  }

  close(error: Error): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#feed.close();
    for (const { channel } of this.#members.values()) channel.close();
    this.#owner.onEvent({ type: 'closed', error });
  }

  #onMessage(message: MembershipMessage): void {
    switch (message.t) {
      case 'up':
        this.#onUp(message);
        break;
      case 'down':
        this.#members.get(message.member)?.channel.close();
        break;
      case 'closed':
        this.close(decodeError(message.error));
        break;
      default:
        message satisfies never;
    }
  }

  #onUp({ member: name, channel: token, boardSlot }: Extract<MembershipMessage, { t: 'up' }>): void {
    const events = {
      onCredit: () => this.#owner.onRoom(),
      onClose: (closed: Channel, unstarted: readonly Outbound[]) => this.#onChannelClosed(closed, unstarted),
    };
    const channel = new Channel(name, token, events, this.#revive);
    // What this ref has in the mailbox is already known here; the board adds what others sent and what runs.
    const load = () => {
      const { queueDepth, running } = this.#board.read(boardSlot);
      return Math.max(queueDepth, channel.backlog) + running;
    };
    this.#members.set(name, { name, channel, load });
    this.#owner.onEvent({ type: 'up', member: name });
    this.#owner.onRoom();
  }

  #onChannelClosed(channel: Channel, unstarted: readonly Outbound[]): void {
    if (this.#members.get(channel.member)?.channel === channel) {
      this.#members.delete(channel.member);
      this.#owner.onEvent({ type: 'down', member: channel.member });
    }
    this.#owner.onUnstarted(unstarted);
    this.#owner.onRoom();
  }
}

function asMembershipMessage(message: WireMessage): MembershipMessage {
  if (message.t === 'up' || message.t === 'down' || message.t === 'closed') return message;
  throw new ActorError(`a ref got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
