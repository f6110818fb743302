/**
 * The live members behind a ref: follows the group's feed, keeps one channel to each member, and sends a message
 * to whichever the routing policy chooses among those with credit.
 *
 * The feed says in order who is up and who is down. So what a dead incarnation had not begun is back at the ref before
 * its next incarnation gets anything, however late the ref's thread hears of it all.
 */
import type { LoadBoard } from '../board/load-board.ts';
import { Channel } from '../channel/channel.ts';
import { UnderWay } from '../channel/under-way.ts';
import { ActorError, stoppedError } from '../errors.ts';
import { preferenceReader } from '../routing/preference.ts';
import { type Candidate, type RoutingPolicy, routingPolicy } from '../routing/routing-policy.ts';
import { adoptPort } from '../transport/adopt.ts';
import type { Port } from '../transport/port.ts';
import { decodeError } from '../wire/error-codec.ts';
import type { MembershipMessage, WireMessage } from '../wire/messages.ts';
import type { Reviver } from '../wire/payload-codec.ts';
import type { Call } from './call.ts';
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
  /** Members have come or gone. A member died before it started these; they may be sent again, before anything else. */
  onChange(unstarted: readonly Call[]): void;
  onLostTell(method: string, error: Error): void;
  onEvent(event: WatchEvent): void;
}

/** Whose loads always change while it looks sends to whom it saw last. */
const MOST_LOOKS = 16;

interface Member extends Candidate {
  readonly channel: Channel<Call>;
  /** False for one that ends what it is at and belongs to the pool no more: it is sent nothing. */
  stays: boolean;
  /** What all had sent to it when its load was read; undefined where the policy reads none. */
  sentThen: number | undefined;
}

export class Members {
  readonly #feed: Port;
  #token: RefToken;
  #policy: RoutingPolicy;
  readonly #board: LoadBoard;
  readonly #revive: Reviver;
  readonly #owner: MembersOwner;
  readonly #members = new Map<string, Member>();
  /** Members that were given up, and why. */
  readonly #lost = new Map<string, Error>();
  /** Rarely: where none does, nobody has to be left out. */
  #someLeave = false;
  readonly #preferenceOf = preferenceReader();
  #closed: Error | undefined;

  constructor(token: RefToken, board: LoadBoard, revive: Reviver, owner: MembersOwner) {
    this.#token = token;
    this.#policy = routingPolicy(token.policy, token.members, this.#preferenceOf);
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
    return [...this.#staying()].filter(({ channel }) => channel.isOpen).map(({ name }) => name);
  }

  /** Why there will be no members any more. */
  get closed(): Error | undefined {
    return this.#closed;
  }

  /** What callers wait for. */
  answers(): Promise<unknown>[] {
    return [...this.#members.values()].flatMap(({ channel }) => channel.awaiting.map(({ result }) => result));
  }

  /** The port on which members come and go, to subscribe somebody else. */
  get feed(): Port {
    return this.#feed;
  }

  get isAnyLive(): boolean {
    for (const { channel } of this.#staying()) if (channel.isOpen) return true;
    return false;
  }

  isLive(member: string): boolean {
    return this.#members.get(member)?.channel.isOpen === true;
  }

  /** The one member that a message has to go to; undefined: any. */
  homeOf(call: Call): string | undefined {
    if (call.member !== undefined) return call.member;
    const { routeKey } = call;
    return routeKey === undefined
      ? undefined
      : this.#policy.home?.(routeKey, this.#someLeave ? this.#staying() : this.#members.values());
  }

  /** Why a member will never get a message, if that is so. */
  whyNever(member: string): Error | undefined {
    return this.#token.members.includes(member) ? this.#lost.get(member) : unknownMember(member, this.#token);
  }

  /** Sends to its home, or to any member that may have it; false when there is no room. */
  post(message: Call, home: string | undefined, mayHave?: (member: string) => boolean): boolean {
    const member = home === undefined ? this.#choose(message, mayHave) : this.#members.get(home);
    if (member === undefined || (home !== undefined && !canTake(member, message))) return false;
    member.channel.post(message);
    return true;
  }

  /** No member will come any more, and there is none. */
  close(error: Error): void {
    this.#close(error, (channel) =>
      channel.end(
        (method) => leftError(channel.member, method, error),
        () => error,
      ),
    );
  }

  /** Nobody waits for answers any more. Members live on, and may begin what lies in their mailboxes before they hear of it. */
  leaveCalls(error: Error): void {
    for (const { channel } of this.#members.values())
      channel.leaveCalls((method) => leftError(channel.member, method, error));
  }

  /** Whether tells have not ended, and could be lost; if so, `onRoom` or `onChange` will be called when that may have changed. */
  awaitTells(): boolean {
    return [...this.#members.values()].some(({ channel }) => channel.awaitsTells());
  }

  /** Nobody needs them any more; they live on. */
  leave(error: Error): void {
    this.#close(error, (channel) => {
      channel.leave();
      return [];
    });
  }

  /** A member ends together with this thread. What it had not begun. */
  die(name: string, why: Error): readonly Call[] {
    return this.#end(name, why) ?? [];
  }

  #close(error: Error, end: (channel: Channel<Call>) => readonly Call[]): void {
    if (this.#closed !== undefined) return;
    this.#closed = error;
    this.#feed.close();
    const unstarted = [...this.#members.values()].flatMap(({ channel }) => end(channel));
    this.#members.clear();
    this.#owner.onChange(unstarted);
    this.#owner.onEvent({ type: 'closed', error });
  }

  #noteLeavers(): void {
    this.#someLeave = [...this.#members.values()].some(({ stays }) => !stays);
  }

  *#staying(): Iterable<Member> {
    for (const member of this.#members.values()) if (member.stays) yield member;
  }

  #choose(call: Call, mayHave: ((member: string) => boolean) | undefined): Member | undefined {
    if (this.#members.size === 1) {
      for (const only of this.#members.values()) {
        return canTake(only, call) && mayHave?.(only.name) !== false ? only : undefined;
      }
    }
    const candidates: Member[] = [];
    for (const member of this.#members.values()) {
      if (canTake(member, call) && mayHave?.(member.name) !== false) candidates.push(member);
    }
    let chosen: Member | undefined;
    for (let look = 0; look < MOST_LOOKS; look++) {
      chosen = this.#policy.choose(candidates, call.prefer);
      // Where somebody else has chosen the same one meanwhile, that has more to do than was read.
      const seen = chosen?.sentThen;
      if (seen === undefined || candidates.length === 1 || chosen?.channel.claim(seen)) break;
    }
    return chosen;
  }

  #onMessage(message: MembershipMessage): void {
    switch (message.t) {
      case 'up':
        this.#onUp(message);
        break;
      case 'down':
        this.#onDown(message.member, decodeError(message.error));
        break;
      case 'members':
        this.#token = { ...this.#token, members: message.names };
        this.#policy = routingPolicy(this.#token.policy, message.names, this.#preferenceOf);
        // For good: should the pool grow again, another incarnation comes under that name.
        for (const member of this.#members.values())
          if (!message.names.includes(member.name)) member.stays = false;
        this.#noteLeavers();
        for (const name of this.#lost.keys()) if (!message.names.includes(name)) this.#lost.delete(name);
        this.#owner.onChange([]);
        break;
      case 'lost':
        this.#lost.set(message.member, decodeError(message.error));
        this.#owner.onChange([]);
        break;
      case 'closed':
        this.close(decodeError(message.error));
        break;
      default:
        message satisfies never;
    }
  }

  #onUp({ member: name, channel: token, boardSlot, holder }: Extract<MembershipMessage, { t: 'up' }>): void {
    this.#lost.delete(name);
    const events = {
      onCredit: () => this.#owner.onRoom(),
      onLostTell: (method: string, error: Error) => this.#owner.onLostTell(method, error),
    };
    const channel = new Channel<Call>(name, holder, token, this.#token.window, events, this.#revive);
    const underWay = new UnderWay(token.underWay);
    // What this ref has in the mailbox is already known here; the others add what was sent from elsewhere and what runs.
    const load = () => {
      member.sentThen = underWay.sent;
      return this.#board.load(boardSlot, underWay.count, channel.backlog);
    };
    const stays = this.#token.members.includes(name);
    const member: Member = { name, channel, load, stays, sentThen: undefined };
    this.#members.set(name, member);
    this.#noteLeavers();
    this.#owner.onEvent({ type: 'up', member: name });
    this.#owner.onChange([]);
  }

  #onDown(name: string, cause: Error): void {
    const unstarted = this.#end(name, cause);
    if (unstarted === undefined) return;
    this.#noteLeavers();
    this.#owner.onEvent({ type: 'down', member: name });
    this.#owner.onChange(unstarted);
  }

  /** What the member had not begun, if there is such a member. */
  #end(name: string, cause: Error): readonly Call[] | undefined {
    const member = this.#members.get(name);
    this.#members.delete(name);
    return member?.channel.end(
      (method) => lostError(name, method, cause, false),
      (method) => lostError(name, method, cause, true),
    );
  }
}

function canTake({ stays, channel }: Member, call: Call): boolean {
  return stays && channel.hasCredit(call);
}

/**
 * Of what was sent to an actor that is over.
 * @param unbegun nothing of it was done; what it took along is gone, though
 */
export function lostError(actor: string, method: string, cause: Error, unbegun: boolean): Error {
  if (unbegun && cause instanceof ActorError && cause.code === 'ACTOR_STOPPED') return cause;
  const when = unbegun ? 'before it began' : 'before it answered';
  return new ActorError(`${cause.message}, ${when} ${method}`, {
    code: 'ACTOR_DIED',
    retrySafe: unbegun,
    details: { actor, method },
    cause,
  });
}

/** Of what may have been begun by an actor that nobody here listens to any more. */
function leftError(actor: string, method: string, cause: Error): ActorError {
  return new ActorError(`${actor} may have begun ${method}, and its answer is not heard any more`, {
    code: 'ACTOR_STOPPED',
    retrySafe: false,
    details: { actor, method },
    cause,
  });
}

function unknownMember(member: string, { name, members }: RefToken): ActorError {
  return new ActorError(`${name} has no member "${member}": it has ${members.join(', ')}`, {
    code: 'PROTOCOL_VIOLATION',
    details: { pool: name, member },
  });
}

function asMembershipMessage(message: WireMessage): MembershipMessage {
  switch (message.t) {
    case 'up':
    case 'down':
    case 'members':
    case 'lost':
    case 'closed':
      return message;
  }
  throw new ActorError(`a ref got "${message.t}"`, { code: 'PROTOCOL_VIOLATION' });
}
