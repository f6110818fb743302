/**
 * One living actor: its mailbox, the handlers in progress, its step loops and its end. The cell does not know
 * on which thread it is; a thread's entry point and a system (for local actors) each make cells the same way.
 */
import type { LoadWriter } from '../board/load-board.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { ActorError, stoppedError, TroupeError } from '../errors.ts';
import type { Methods } from '../protocol.ts';
import type { SharedArena } from '../tensors/arena.ts';
import { FifoQueue } from '../util/fifo-queue.ts';
import type { ChannelToken } from '../wire/messages.ts';
import { decodePayload, type Reviver } from '../wire/payload-codec.ts';
import type { ActorContext } from './actor-context.ts';
import type { ActorDefinition, ActorStats, Behaviour } from './behaviour.ts';
import { type Delivery, Inlet } from './inlet.ts';
import { type Step, StepLoop } from './step-loop.ts';

// biome-ignore lint/suspicious/noExplicitAny: an actor of any protocol; a cell looks methods up by name
export type AnyActor = ActorDefinition<any, any>;
type AnyHandler = (payload: unknown, writerOrCall: unknown, call?: unknown) => unknown;

export interface CellParts {
  readonly name: string;
  readonly holder: number;
  readonly load: LoadWriter;
  readonly deadLetters: DeadLetters;
  readonly arenas: ReadonlyMap<string, SharedArena>;
  readonly revive: Reviver;
  /** Ends the actor at once because of an error that nobody handles. */
  readonly crash: (error: unknown) => void;
}

/** Messages handled in a row before the event loop turns, so that control messages and timers get in. */
const MESSAGES_PER_TURN = 64;

export class ActorCell {
  readonly #parts: CellParts;
  readonly #methods: Methods;
  readonly #handlers: Readonly<Record<string, AnyHandler>>;
  readonly #behaviour: Behaviour<{ name: string; methods: Methods }>;
  readonly #concurrency: number;
  readonly #report: LoadReport;
  readonly #stopSignal: AbortController;
  readonly #loops: readonly StepLoop[];
  readonly #inlets = new Set<Inlet>();
  readonly #mailbox = new FifoQueue<Delivery>();
  #handling = 0;
  #turnScheduled = false;
  #leftInTurn = 0;
  #stopping: PromiseWithResolvers<void> | undefined;

  private constructor(parts: CellParts, actor: AnyActor, args: unknown, started: Started) {
    this.#parts = parts;
    this.#methods = actor.blueprint.protocol.methods;
    this.#behaviour = started.behaviour;
    this.#handlers = started.behaviour.handlers as Readonly<Record<string, AnyHandler>>; // typed by the protocol
    this.#loops = started.loops;
    this.#concurrency =
      typeof actor.concurrency === 'function' ? actor.concurrency(args) : (actor.concurrency ?? 1);
    this.#stopSignal = started.stopSignal;
    this.#report = started.report;
    this.#report.changed = () => this.#publish();
  }

  /** Sets the actor up. Rejects with what its `setup` throws. */
  static async start(actor: AnyActor, encodedArgs: unknown, parts: CellParts): Promise<ActorCell> {
    const args = decodePayload(encodedArgs, parts.revive);
    const loops: StepLoop[] = [];
    const report: LoadReport = { running: 0, changed: () => {} };
    const stopSignal = new AbortController();
    const context: ActorContext = {
      name: parts.name,
      holder: parts.holder,
      deadLetters: parts.deadLetters,
      stopping: stopSignal.signal,
      arena: (name) => findArena(parts.arenas, name),
      loop: (step: Step) => {
        const loop = new StepLoop(watched(step, parts.load), parts.crash);
        loops.push(loop);
        return loop;
      },
      reportLoad: ({ running, freeSlots }) => {
        parts.load.freeSlots(freeSlots);
        report.running = running;
        report.changed();
      },
    };
    const behaviour = await actor.setup(args, context);
    return new ActorCell(parts, actor, args, { behaviour, loops, report, stopSignal });
  }

  connect(token: ChannelToken): void {
    const inlet = new Inlet(token, {
      onDelivery: (delivery) => this.#onDelivery(delivery),
      onClose: (closed) => this.#inlets.delete(closed),
    });
    this.#inlets.add(inlet);
  }

  stats(): ActorStats {
    return { mailbox: this.#mailbox.size, handling: this.#handling, ...this.#behaviour.stats?.() };
  }

  /** Runs a named out-of-band operation. */
  async control(operation: string): Promise<unknown> {
    const run = this.#behaviour.control?.[operation];
    if (run === undefined) throw this.#violation(`has no control operation "${operation}"`);
    return await run();
  }

  /** Cooperative: the handlers in progress and the current step end, what waits is refused, then all is freed. */
  async stop(): Promise<void> {
    if (this.#stopping !== undefined) return await this.#stopping.promise;
    this.#stopping = Promise.withResolvers<void>();
    this.#stopSignal.abort(stoppedError(this.#parts.name));
    this.#refuseWaiting();
    await Promise.all(this.#loops.map((loop) => loop.stop()));
    if (this.#handling === 0) this.#stopping.resolve();
    await this.#stopping.promise;
    await this.#behaviour.stop?.();
    this.#disconnect();
  }

  /** The end of an actor that has no thread to die with: nothing more is started, and its clients see it go. */
  abandon(): void {
    this.#stopping ??= Promise.withResolvers<void>();
    this.#mailbox.drain();
    for (const loop of this.#loops) void loop.stop();
    this.#disconnect();
  }

  #disconnect(): void {
    for (const inlet of this.#inlets) inlet.close();
  }

  #onDelivery(delivery: Delivery): void {
    this.#mailbox.push(delivery);
    if (this.#stopping !== undefined) this.#refuseWaiting();
    else this.#scheduleTurn();
    this.#publish();
  }

  /**
   * Handlers start in the loop's check phase, after everything that has arrived was read: so an interrupt that
   * came right behind its message still finds it waiting.
   */
  #scheduleTurn(): void {
    if (this.#turnScheduled) return;
    this.#turnScheduled = true;
    setImmediate(() => {
      this.#turnScheduled = false;
      this.#leftInTurn = MESSAGES_PER_TURN;
      this.#pump();
    });
  }

  #pump(): void {
    while (this.#handling < this.#concurrency && this.#stopping === undefined && this.#mailbox.size > 0) {
      if (this.#leftInTurn === 0) {
        this.#scheduleTurn();
        break;
      }
      const delivery = this.#mailbox.shift();
      if (delivery === undefined) break;
      this.#leftInTurn -= 1;
      this.#parts.load.beat();
      delivery.inlet.start(delivery);
      if (!isInterrupted(delivery)) void this.#handle(delivery);
    }
    this.#publish();
  }

  async #handle(delivery: Delivery): Promise<void> {
    this.#handling += 1;
    try {
      delivery.inlet.reply(delivery, await this.#call(delivery));
    } catch (error) {
      const failure = declared(error, this.#parts.name, delivery.message.method);
      delivery.writer?.fail(failure);
      delivery.inlet.refuse(delivery, failure);
      if (delivery.message.t === 'tell')
        this.#parts.deadLetters.add({ ...this.#address(delivery), code: 'DEFECT' });
    } finally {
      this.#handling -= 1;
      if (this.#stopping !== undefined && this.#handling === 0) this.#stopping.resolve();
      this.#pump();
    }
  }

  #call({ message, interrupt, writer }: Delivery): unknown {
    const kind = this.#methods[message.method]?.kind;
    const handler = this.#handlers[message.method];
    if (kind === undefined || handler === undefined)
      throw this.#violation(`has no method "${message.method}"`);
    if ((kind === 'stream') !== (message.t === 'open') || (kind === 'tell') !== (message.t === 'tell')) {
      throw this.#violation(`got "${message.t}" for "${message.method}", which is a ${kind}`);
    }
    const payload = message.rich ? decodePayload(message.payload, this.#parts.revive) : message.payload;
    const call = { signal: interrupt.signal };
    return writer === undefined ? handler(payload, call) : handler(payload, writer, call);
  }

  #refuseWaiting(): void {
    for (let waiting = this.#mailbox.shift(); waiting !== undefined; waiting = this.#mailbox.shift()) {
      const error = stoppedError(this.#parts.name);
      waiting.inlet.start(waiting);
      waiting.writer?.fail(error);
      waiting.inlet.refuse(waiting, error);
      if (waiting.message.t === 'tell')
        this.#parts.deadLetters.add({ ...this.#address(waiting), code: 'ACTOR_STOPPED' });
    }
  }

  #address({ message }: Delivery): { actor: string; method: string } {
    return { actor: this.#parts.name, method: message.method };
  }

  #publish(): void {
    const { load } = this.#parts;
    load.queueDepth(this.#mailbox.size);
    load.running(this.#handling + this.#report.running);
  }

  #violation(problem: string): ActorError {
    return new ActorError(`${this.#parts.name} ${problem}`, { code: 'PROTOCOL_VIOLATION' });
  }
}

interface LoadReport {
  running: number;
  changed(): void;
}

interface Started {
  readonly behaviour: Behaviour<{ name: string; methods: Methods }>;
  readonly loops: readonly StepLoop[];
  readonly report: LoadReport;
  readonly stopSignal: AbortController;
}

function isInterrupted({ interrupt, writer }: Delivery): boolean {
  const aborted = interrupt.signal.aborted || writer?.signal.aborted === true;
  if (aborted) writer?.fail(writer.signal.reason ?? interrupt.signal.reason);
  return aborted;
}

function declared(error: unknown, actor: string, method: string): unknown {
  if (TroupeError.is(error)) return error;
  return new ActorError(`${actor}.${method} failed unexpectedly: ${describe(error)}`, {
    code: 'DEFECT',
    details: { actor, method },
    cause: error,
  });
}

function describe(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** A step that is visible on the load board, so that a stuck one can be told from an idle actor. */
function watched(step: Step, load: LoadWriter): Step {
  return async () => {
    load.beat();
    load.busy();
    try {
      return await step();
    } finally {
      load.idle();
    }
  };
}

function findArena(arenas: ReadonlyMap<string, SharedArena>, name: string): SharedArena {
  const arena = arenas.get(name);
  if (arena === undefined) throw new TroupeError(`there is no arena "${name}"`, { code: 'ARENA_UNKNOWN' });
  return arena;
}
