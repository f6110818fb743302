/**
 * One living actor: what it was set up with, its clients' inlets, its mailbox, its step loops and its end. The
 * cell does not know on which thread it is; a thread's entry point and a system (for local actors) each make
 * cells the same way.
 */
import type { LoadWriter } from '../board/load-board.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { ActorError, invalidOption, isActorErrorCode, stoppedError, type TroupeError } from '../errors.ts';
import type { Protocol } from '../protocol.ts';
import type { ActorRef } from '../ref/actor-ref.ts';
import type { Waiting } from '../supervision/incarnation.ts';
import type { ChildrenRef } from '../system/children-protocol.ts';
import type { SharedArena } from '../tensors/arena.ts';
import type { SharedTensorCache } from '../tensors/tensor-cache.ts';
import { wholeNumber } from '../util/checked-option.ts';
import { isThenable } from '../util/realms.ts';
import type { ChannelToken } from '../wire/messages.ts';
import { decodePayload, type EncodedPayload, type Reviver } from '../wire/payload-codec.ts';
import type { ActorDefinition, ActorStats } from './behaviour.ts';
import type { Delivery } from './delivery.ts';
import { Inlet } from './inlet.ts';
import { type AnyHandler, failureOf, type Invocable, invoke } from './invoke.ts';
import { Mailbox } from './mailbox.ts';
import { SelfTimers } from './self-timers.ts';
import { SetUp } from './set-up.ts';

// biome-ignore lint/suspicious/noExplicitAny: an actor of any protocol; a cell looks methods up by name
export type AnyActor = ActorDefinition<any, any>;

/** What an actor starts with, as it came. */
export type EncodedArgs = Omit<EncodedPayload, 'transfer'>;

export interface CellParts {
  readonly name: string;
  readonly holder: number;
  readonly load: LoadWriter;
  readonly deadLetters: DeadLetters;
  readonly arenas: ReadonlyMap<string, SharedArena>;
  readonly caches: ReadonlyMap<string, SharedTensorCache>;
  readonly revive: Reviver;
  /** Makes the actor's ref to itself, the first time. */
  readonly self: () => ActorRef<Protocol>;
  /** The same of its ref to who spawns for it. */
  readonly children: () => ChildrenRef;
  /** From the incarnation before. */
  readonly inherited: unknown;
  /** Ends the actor at once because of an error that nobody handles. */
  readonly crash: (error: unknown) => void;
}

export class ActorCell {
  readonly #parts: CellParts;
  readonly #invocable: Invocable;
  readonly #setUp: SetUp;
  readonly #mailbox: Mailbox;
  readonly #inlets = new Set<Inlet>();
  /** Of its timers. */
  #own: Inlet | undefined;
  /** What those have sent and handlers have. */
  readonly #ownUnderWay = new Set<Delivery>();
  #isDead = false;
  #quiet: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #waiting: Waiting = 'refused';
  #publishedRunning = 0;

  private constructor(parts: CellParts, actor: AnyActor, args: unknown, setUp: SetUp) {
    const { concurrency = 1 } = actor;
    this.#parts = parts;
    this.#setUp = setUp;
    this.#invocable = {
      name: parts.name,
      methods: actor.blueprint.protocol.methods,
      handlers: setUp.behaviour.handlers as Readonly<Record<string, AnyHandler>>, // typed by the protocol
      revive: parts.revive,
    };
    const atOnce = typeof concurrency === 'function' ? concurrency(args) : concurrency;
    if (atOnce !== Number.POSITIVE_INFINITY) wholeNumber('concurrency', atOnce, 1);
    this.#mailbox = new Mailbox(atOnce, {
      handle: (delivery) => this.#handle(delivery),
      onChange: () => this.#publishLoad(),
    });
    setUp.onReport = () => this.#publishLoad();
    setUp.timers = new SelfTimers({
      name: parts.name,
      methods: actor.blueprint.protocol.methods,
      stopping: setUp.stopping.signal,
      connect: (token) => {
        this.#own = this.#connect(token);
      },
    });
  }

  /** Sets the actor up. Rejects with what its `setup` throws. */
  static async start(actor: AnyActor, encoded: EncodedArgs, parts: CellParts): Promise<ActorCell> {
    if (typeof actor?.setup !== 'function')
      throw invalidOption('the default export of its module', actor, 'make it with `defineActor`');
    const args = decodePayload(encoded.payload, encoded.travellers, parts.revive);
    const setUp = new SetUp(parts);
    setUp.behaviour = await actor.setup(args, setUp.context);
    return new ActorCell(parts, actor, args, setUp);
  }

  connect(token: ChannelToken): void {
    this.#connect(token);
  }

  #connect(token: ChannelToken): Inlet {
    const inlet = new Inlet(token, {
      holder: this.#parts.holder,
      onDelivery: (delivery) => {
        if (this.#mailbox.isClosed) this.#turnAway(delivery);
        else this.#mailbox.push(delivery);
      },
      onClose: (closed) => this.#inlets.delete(closed),
    });
    this.#inlets.add(inlet);
    return inlet;
  }

  stats(): ActorStats {
    const { size, handling } = this.#mailbox;
    const clients = this.#inlets.size;
    return { mailbox: size, handling, clients, ...this.#setUp.behaviour.stats?.() };
  }

  /** Runs a named out-of-band operation. */
  async control(operation: string): Promise<unknown> {
    const run = this.#setUp.behaviour.control?.[operation];
    if (run !== undefined) return await run();
    const problem = `${this.#parts.name} has no control operation "${operation}"`;
    throw new ActorError(problem, { code: 'PROTOCOL_VIOLATION' });
  }

  /** Cooperative: the handlers in progress and the current step end, then all is freed. */
  stop(waiting: Waiting): Promise<void> {
    this.#stopped ??= this.#stop(waiting);
    return this.#stopped;
  }

  /** The first half of a stop, with what waits served elsewhere. Resolves with what the actor hands over to the next. */
  async retire(): Promise<unknown> {
    await this.#quieten('served elsewhere');
    return await this.#setUp.behaviour.handOver?.();
  }

  /**
   * It dies: nothing more is started. Of what its timers sent nobody else knows, whether it waits or a handler has it. All other
   * messages are from now on for those to tell of who sent them.
   */
  die(why: ActorError): void {
    const waiting = this.#mailbox.close().filter(({ inlet }) => inlet === this.#own);
    for (const delivery of [...this.#ownUnderWay, ...waiting]) this.#bury(delivery, why);
    this.#isDead = true;
  }

  /** The end of an actor that has no thread to die with: nothing more is started, and its clients see it go. */
  abandon(why: ActorError): void {
    const { loops, stopping } = this.#setUp;
    this.die(why);
    for (const loop of loops) void loop.stop();
    stopping.abort(stoppedError(this.#parts.name)); // its timers go on otherwise, and keep the process
    this.#disconnect();
  }

  async #stop(waiting: Waiting): Promise<void> {
    await this.#quieten(waiting);
    await this.#setUp.behaviour.stop?.();
    this.#disconnect();
  }

  #quieten(waiting: Waiting): Promise<void> {
    this.#quiet ??= this.#becomeQuiet(waiting);
    return this.#quiet;
  }

  async #becomeQuiet(waiting: Waiting): Promise<void> {
    const { loops, stopping } = this.#setUp;
    stopping.abort(stoppedError(this.#parts.name));
    this.#waiting = waiting;
    for (const delivery of this.#mailbox.close()) this.#turnAway(delivery);
    await Promise.all(loops.map((loop) => loop.stop()));
    await this.#mailbox.idle();
  }

  #disconnect(): void {
    for (const inlet of this.#inlets) inlet.close();
  }

  #handle(delivery: Delivery): Promise<void> | undefined {
    const { inlet, writer, left } = delivery;
    this.#parts.load.beat();
    inlet.start(delivery);
    if (left !== undefined) {
      writer?.fail(left.reason);
      inlet.refuse(delivery, left.reason); // who forwarded it waits for that, whoever has left
      return undefined;
    }
    if (inlet === this.#own) this.#ownUnderWay.add(delivery);
    try {
      const answer = invoke(this.#invocable, delivery);
      if (isThenable(answer)) return this.#answer(delivery, answer);
      this.#reply(delivery, answer);
    } catch (error) {
      this.#fail(delivery, error);
    }
    return undefined;
  }

  async #answer(delivery: Delivery, answer: PromiseLike<unknown>): Promise<void> {
    try {
      this.#reply(delivery, await answer);
    } catch (error) {
      this.#fail(delivery, error);
    }
  }

  #reply(delivery: Delivery, answer: unknown): void {
    this.#ownUnderWay.delete(delivery);
    delivery.inlet.reply(delivery, answer);
  }

  #fail(delivery: Delivery, thrown: unknown): void {
    this.#ownUnderWay.delete(delivery);
    const error = failureOf(this.#invocable, delivery.message.method, thrown);
    delivery.writer?.fail(error);
    delivery.inlet.refuse(delivery, error);
    this.#bury(delivery, error);
  }

  /**
   * It came too late. Where it is to be served elsewhere, nothing is done: as it is not started, its sender has it back when
   * it hears of the end. A stream has been given away, and its reader has to be told. What its own timers sent ends with it.
   */
  #turnAway(delivery: Delivery): void {
    const error = stoppedError(this.#parts.name);
    if (this.#waiting === 'served elsewhere' && delivery.inlet !== this.#own) {
      delivery.writer?.fail(error);
      if (delivery.message.t === 'open') delivery.inlet.refuse(delivery, error);
      return;
    }
    delivery.writer?.fail(error);
    delivery.inlet.turnAway(delivery, error);
    this.#bury(delivery, error);
  }

  /** Nobody waits for the answer to a `tell`, so its failure is recorded. */
  #bury({ message }: Delivery, error: TroupeError): void {
    if (message.t !== 'tell' || this.#isDead) return;
    const code = isActorErrorCode(error.code) ? error.code : 'DEFECT';
    this.#parts.deadLetters.add({ actor: this.#parts.name, method: message.method, code, error });
  }

  #publishLoad(): void {
    const { load } = this.#parts;
    const running = this.#mailbox.handling + this.#setUp.reportedRunning;
    // What goes from one to the other is in both for a moment, not in none.
    if (running > this.#publishedRunning) load.running(running);
    load.queueDepth(this.#mailbox.size);
    if (running < this.#publishedRunning) load.running(running);
    this.#publishedRunning = running;
  }
}
