/**
 * What is behind a ref: one channel to each live member, and an outbox for what cannot be sent yet, because every
 * mailbox is full or every member is being restarted; so work that no actor has started survives a crash.
 *
 * It knows nothing of the ref, which may be forgotten while answers are still on their way: then it closes when the last
 * of them has come (`release`). It also outlives the ref's end for as long as something that was told has not ended: it would
 * come back, or be lost, if the actor died.
 */
import { unsendable } from '../channel/channel.ts';
import { ActorError, type ActorErrorCode, isActorErrorCode, stoppedError, TroupeError } from '../errors.ts';
import type { StreamWriter } from '../stream/stream-writer.ts';
import type { Port } from '../transport/port.ts';
import { guarded } from '../util/events.ts';
import { textOf } from '../util/realms.ts';
import { decodeError, encodeError } from '../wire/error-codec.ts';
import { Call, type CallOrigin } from './call.ts';
import { type CallOptions, checkedOptions } from './call-options.ts';
import type { RefEnvironment } from './environment.ts';
import { lostError, Members, type WatchEvent } from './members.ts';
import { Outboxes } from './outboxes.ts';
import type { PoolFacts, RefToken } from './ref-token.ts';

/**
 * `sent`: in a mailbox. Not sent: `full`, no credit; `down`, no live member; `refused`, the payload cannot be cloned, the
 * signal was aborted already, or there is no such member.
 */
export type TellStatus = 'sent' | 'full' | 'down' | 'refused';

type AnyWriter = StreamWriter<unknown, unknown>;

export class RefCore {
  readonly facts: PoolFacts;
  readonly environment: RefEnvironment;
  readonly #members: Members;
  readonly #outboxes = new Outboxes();
  readonly #watchers = new Set<(event: WatchEvent) => void>();
  readonly #connected = Promise.withResolvers<void>();
  readonly #origin: CallOrigin;
  #nextSequence = 0;
  #isReleased = false;
  /** The ref is closed. */
  #left: Error | undefined;

  constructor(token: RefToken, environment: RefEnvironment) {
    const { feed: _, closed, ...facts } = token;
    this.facts = facts;
    this.environment = environment;
    this.#members = new Members(token, environment.board, environment.revive, {
      onRoom: () => this.#flush(),
      onChange: (unstarted) => this.#onChange(unstarted),
      onLostTell: (method, error) => this.#bury(method, codeOf(error), error),
      onEvent: (event) => this.#onEvent(event),
    });
    this.#origin = {
      actor: facts.name,
      only: facts.only,
      byReference: facts.transport === 'local' && this.#members.feed.byReference,
      onLeft: (priority) => this.#outboxes.of(priority).noteLeft(),
      onLostTell: (method, error) => this.#bury(method, codeOf(error), error),
    };
    if (closed === undefined) environment.opened(this);
    else this.#members.close(decodeError(closed));
  }

  get members(): Members {
    return this.#members;
  }

  /** Why nothing can be sent any more. */
  get closed(): Error | undefined {
    return this.#left ?? this.#members.closed;
  }

  get connected(): Promise<void> {
    return this.#connected.promise;
  }

  get waiting(): number {
    return this.#outboxes.waiting;
  }

  watch(listener: (event: WatchEvent) => void): () => void {
    this.#watchers.add(listener);
    return () => {
      this.#watchers.delete(listener);
      this.#closeIfForgotten();
    };
  }

  close(): void {
    this.environment.closed(this);
    if (this.closed !== undefined) return;
    this.#left = stoppedError(this.facts.name);
    const waiting = this.#outboxes.drain();
    const told = waiting.filter(({ hasSucceeded }) => hasSucceeded);
    this.#outboxes.rearrange(told, (call) => this.#members.homeOf(call));
    for (const call of waiting) if (!call.hasSucceeded) call.fail(this.#left);
    this.#members.leaveCalls(this.#left);
    this.#onEvent({ type: 'closed', error: this.#left });
    this.#watchers.clear();
    this.release();
  }

  /** The ref is gone; once nobody waits for anything either, the channels can go too. */
  release(): void {
    this.#isReleased = true;
    this.#closeIfForgotten();
  }

  /**
   * This thread ends, and an actor with it: what was told and that actor has not done, or nobody has got, is lost. What others have got
   * they do.
   */
  die(actor: string, why: ActorError): void {
    for (const call of this.#members.die(actor, why)) call.fail(lostError(actor, call.method, why, true));
    for (const call of this.#outboxes.drain()) if (call.hasSucceeded) call.fail(why);
  }

  tell(method: string, payload: unknown, given: CallOptions | undefined): TellStatus {
    let options: CallOptions | undefined;
    try {
      options = checkedOptions(method, given);
      if (options?.signal?.aborted) return this.#unsent(method, 'refused', 'ABORTED', options.signal.reason);
    } catch (fault) {
      return this.#unsent(textOf(method), 'refused', 'PROTOCOL_VIOLATION', fault);
    }
    if (this.#left !== undefined) return this.#unsent(method, 'down', 'ACTOR_DIED', this.#left);
    const call = this.#call('tell', method, payload, options, false);
    const home = this.#members.homeOf(call);
    if (this.#outboxes.of(call.priority).blocks(home) || !this.#post(call, home))
      return this.#unsentTo(home, method);
    if (call.hasSucceeded) return 'sent';
    // Nobody waits for the result of a tell; it has just failed.
    call.result.catch((error) => this.#bury(method, codeOf(error), error));
    return 'refused';
  }

  /** Sends and waits: for an answer, or for a `tell` until it has left. @param patient it may wait in any number */
  submit(
    kind: Call['kind'],
    method: string,
    payload: unknown,
    options: CallOptions | undefined,
    patient: boolean,
    writer?: AnyWriter,
  ): Promise<unknown> {
    const call = this.#call(kind, method, payload, options, patient, writer);
    call.checkSignal();
    const { closed } = this;
    if (closed !== undefined) call.fail(closed);
    else if (call.wanted) this.#send(call);
    call.watch();
    return call.result;
  }

  /** A token for somebody else, and whose feed is asked for it. @param theirs the end that travels */
  token(subscription: Port): PoolFacts & Pick<RefToken, 'closed'> {
    const { closed } = this;
    if (closed !== undefined) {
      subscription.close();
      return { ...this.facts, closed: encodeError(closed) };
    }
    const { token, transfer } = subscription.detach();
    this.#members.feed.post({ t: 'subscribe', port: token }, transfer);
    return this.facts;
  }

  #call(
    kind: Call['kind'],
    method: string,
    payload: unknown,
    options: CallOptions | undefined,
    patient: boolean,
    writer?: AnyWriter,
  ): Call {
    return new Call(this.#origin, kind, method, payload, this.#nextSequence++, patient, writer, options);
  }

  #send(call: Call): void {
    const home = this.#members.homeOf(call);
    const never = home === undefined ? undefined : this.#members.whyNever(home);
    if (never !== undefined) call.fail(never);
    else if (this.#outboxes.of(call.priority).blocks(home) || !this.#post(call, home)) this.#hold(call, home);
  }

  #post(call: Call, home: string | undefined): boolean {
    const { mayHave } = this.#outboxes.of(call.priority);
    return this.#members.post(call, home, home === undefined ? mayHave : undefined);
  }

  #hold(call: Call, home: string | undefined): void {
    const { outbox: most } = this.facts;
    const outbox = this.#outboxes.of(call.priority);
    if (!call.patient && !outbox.hasRoom(most)) {
      call.fail(outboxFull(this.facts.name, most));
      return;
    }
    const label = `${this.facts.name}.${call.method}`;
    if (call.hold((cause) => unsendable(label, cause))) outbox.push(call, home);
  }

  #flush(): void {
    if (this.#outboxes.size > 0) {
      this.#outboxes.flush((call, home, mayHave) => {
        if (!this.#members.post(call, home, mayHave)) return false;
        call.held = false;
        return true;
      });
    }
    this.#closeIfForgotten();
  }

  #onChange(unstarted: readonly Call[]): void {
    const { closed } = this.#members;
    if (closed !== undefined) {
      this.environment.over(this);
      for (const call of [...this.#outboxes.drain(), ...unstarted]) call.fail(closed);
      return;
    }
    for (const call of unstarted) call.held = true;
    const wanted = unstarted.filter((call) => call.wanted);
    this.#outboxes.rearrange(wanted, (call) => this.#members.homeOf(call));
    for (const { call, why } of this.#outboxes.takeHopeless((home) => this.#members.whyNever(home)))
      call.fail(why);
    this.#flush();
  }

  #onEvent(event: WatchEvent): void {
    if (event.type !== 'down') this.#connected.resolve();
    for (const watcher of [...this.#watchers])
      guarded(`a watcher of ${this.facts.name}`, () => watcher(event));
  }

  /** Why a tell was not sent: its member will never come, or is not there now, or there is no room. */
  #unsentTo(home: string | undefined, method: string): TellStatus {
    const never = home === undefined ? undefined : this.#members.whyNever(home);
    if (never !== undefined) return this.#unsent(method, 'refused', codeOf(never), never);
    if (home === undefined ? this.#members.isAnyLive : this.#members.isLive(home))
      return this.#unsent(method, 'full', 'MAILBOX_FULL');
    return this.#unsent(method, 'down', 'ACTOR_DIED', this.#members.closed);
  }

  #unsent(method: string, status: TellStatus, code: ActorErrorCode, error?: unknown): TellStatus {
    this.#bury(method, code, error);
    return status;
  }

  #bury(method: string, code: ActorErrorCode, error?: unknown): void {
    this.environment.deadLetters.add({ actor: this.facts.name, method, code, error });
  }

  #closeIfForgotten(): void {
    if (!this.#isReleased || this.#members.closed !== undefined) return;
    if ((this.#watchers.size > 0 && this.#left === undefined) || this.#outboxes.size > 0) return;
    const answers = this.#members.answers();
    if (answers.length === 0) {
      if (this.#left === undefined) this.close();
      else if (!this.#members.awaitTells()) this.#members.leave(this.#left);
    } else void Promise.allSettled(answers).then(() => this.#closeIfForgotten());
  }
}

function codeOf(error: unknown): ActorErrorCode {
  return TroupeError.is(error) && isActorErrorCode(error.code) ? error.code : 'DEFECT';
}

function outboxFull(actor: string, limit: number): ActorError {
  return new ActorError(`${actor}: every mailbox is full and ${limit} messages wait`, {
    code: 'MAILBOX_FULL',
    retrySafe: true,
    details: { actor, limit },
  });
}
