/** A life of an actor on a worker thread of its own. */
import { MessageChannel, type MessagePort, type ResourceLimits, Worker } from 'node:worker_threads';
import type { ActorStats } from '../actor/behaviour.ts';
import type { PulseReader } from '../board/pulse.ts';
import { UnderWay } from '../channel/under-way.ts';
import type { DeadLetter, DeadLetters } from '../dead-letters.ts';
import { didNotStop, diedError } from '../errors.ts';
import { moduleBeside } from '../module-beside.ts';
import type { Exit, Incarnation, Waiting } from '../supervision/incarnation.ts';
import type { Watched } from '../supervision/watchdog.ts';
import type { ThreadOptions } from '../system/system-options.ts';
import { MessagePortTransport } from '../transport/message-port.ts';
import { withDefaults } from '../util/with-defaults.ts';
import { encodeError } from '../wire/error-codec.ts';
import type { ChannelToken } from '../wire/messages.ts';
import { decodePayload, encodePayload, type Reviver } from '../wire/payload-codec.ts';
import { ControlClient } from './control-client.ts';
import { type CoreTime, coreTimeOf } from './core-time.ts';
import { ExitGate } from './exit-gate.ts';
import { closeAtExit } from './exit-hook.ts';
import { flagsForFiles } from './flags-for-files.ts';
import type { ThreadBoot } from './thread-control.ts';

let entry: URL | undefined;

/** The module that a thread begins with. @throws TroupeError `BUNDLED` */
export function threadEntry(): URL {
  entry ??= moduleBeside(import.meta.url, './thread-entry');
  return entry;
}

/**
 * Room for young objects. What an actor allocates at a high rate are views of tensors, small and soon dead: on the 256M
 * shape a thread with 24 MB is as fast as with V8's default and holds 26 MB less, one with 12 is so within 2 %, and with 8 MB it is 4 %
 * slower. The default depends on the machine (192 MB on one of 24 GiB), and a thread under load gets there over minutes.
 *
 * V8 marks the whole heap, on all cores, once old objects may grow by less than the young ones' room, and lets those of a small heap
 * grow by 12 MB: with 24 it did so after two of three collections of young objects, with 12 after one of four. Embedded model,
 * 16 callers with pictures: 78 requests a second, and 84.
 */
const YOUNG_GENERATION_MB = 12;

export class ThreadIncarnation implements Incarnation, Watched {
  readonly holder: number;
  readonly boardSlot: number;
  readonly underWay = new UnderWay();
  readonly threadId: number;
  readonly begun: Promise<void>;
  readonly exited: Promise<Exit>;
  readonly quiet: Promise<void>;
  readonly ended: Promise<void>;
  readonly name: string;
  readonly pulse: PulseReader;
  readonly #exited = Promise.withResolvers<Exit>();
  readonly #quiet = Promise.withResolvers<void>();
  readonly #letters: MessagePort;
  readonly #worker: Worker;
  readonly #control: ControlClient;
  readonly #revive: Reviver;
  #exit: Exit | undefined;
  /** Why it was ended. */
  #condemned: Error | undefined;

  constructor(
    boot: Omit<ThreadBoot, 'args' | 'inherited' | 'exitGate' | 'control' | 'letters'> & {
      readonly args: unknown;
      readonly inherited: unknown;
    },
    pulse: PulseReader,
    deadLetters: DeadLetters,
    revive: Reviver,
    { resourceLimits, env }: ThreadOptions = {},
  ) {
    this.holder = boot.holder;
    this.boardSlot = boot.boardSlot;
    this.name = boot.name;
    this.pulse = pulse;
    this.#revive = revive;
    const control = new MessageChannel();
    const letters = new MessageChannel();
    const exitGate = ExitGate.create();
    const [over] = MessagePortTransport.pair();
    const { transfer, ...args } = encodePayload(boot.args, over);
    const { transfer: inheritedTransfer, ...inherited } = encodePayload(boot.inherited, over);
    over.close();
    const doors = [boot.self.door, boot.children.door].filter((door) => 'postMessage' in door);
    const workerData: ThreadBoot = {
      ...boot,
      args,
      inherited,
      exitGate: exitGate.handle(),
      control: control.port2,
      letters: letters.port2,
    };
    this.#worker = new Worker(threadEntry(), {
      name: boot.name,
      workerData,
      transferList: [control.port2, letters.port2, ...doors, ...transfer, ...inheritedTransfer],
      resourceLimits: withDefaults<ResourceLimits>(
        { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
        resourceLimits,
      ),
      ...(env === undefined ? {} : { env }),
      ...flagsForFiles(),
    });
    this.threadId = this.#worker.threadId; // -1 once it has exited
    this.begun = new Promise((resolve) => {
      this.#worker.once('online', resolve).once('exit', () => resolve());
    });
    letters.port1.on('message', (letter: DeadLetter) => deadLetters.record(letter));
    letters.port1.unref();
    this.#letters = letters.port1;
    this.#control = new ControlClient(control.port1);
    this.exited = this.#exited.promise;
    this.quiet = this.#quiet.promise;
    this.ended = this.#watchExit(closeAtExit(exitGate));
  }

  async start(): Promise<void> {
    await this.#control.ask({ ask: 'start' });
  }

  connect(token: ChannelToken): void {
    this.#control.order({ order: 'connect', token }, 'postMessage' in token.port ? [token.port] : []);
  }

  stats(): Promise<ActorStats> {
    return this.#control.ask({ ask: 'stats' });
  }

  control(operation: string): Promise<unknown> {
    return this.#control.ask({ ask: 'control', operation });
  }

  async retire(): Promise<unknown> {
    const { payload, travellers } = await this.#control.ask({ ask: 'retire' });
    return decodePayload(payload, travellers, this.#revive);
  }

  async stop(waiting: Waiting, mayEnd?: Promise<void>): Promise<void> {
    if (mayEnd !== undefined) {
      // What the actor's end throws is heard of from the order, of which the thread then dies.
      await this.#control.ask({ ask: 'stop', waiting }).catch(() => {});
      this.#quiet.resolve();
      await Promise.race([mayEnd, this.exited]);
    }
    this.#control.order({ order: 'stop', waiting });
    await this.exited;
  }

  get coreTime(): CoreTime | undefined {
    return coreTimeOf(this.pulse.systemThreadId);
  }

  /**
   * Ends the thread, if it runs JavaScript. One that is inside native code cannot be ended without the process: it is left
   * behind, and ends itself when it comes out. False when it is over, or was condemned before.
   */
  condemn(error: Error): boolean {
    if (this.#exit !== undefined || this.#condemned !== undefined) return false;
    switch (this.pulse.giveUp()) {
      case 'ended':
        this.#condemned = error;
        void this.#worker.terminate();
        return true;
      case 'left':
        this.#worker.unref();
        this.#over({ kind: 'left', error });
        return true;
      case undefined:
        return false;
    }
  }

  abandon(): void {
    const error = diedError(this.name, didNotStop());
    this.condemn(error);
    this.#worker.unref();
    this.#control.end(error);
  }

  otherOver(holder: number, why: Error, isLeft: boolean): void {
    this.#control.order({ order: 'other over', holder, why: encodeError(why), isLeft });
  }

  crash(reason: string): void {
    this.#control.order({ order: 'crash', reason });
  }

  #over(exit: Exit): void {
    if (this.#exit !== undefined) return;
    this.#exit = exit;
    this.#letters.close();
    this.#control.end(errorOf(exit, this.name));
    this.#exited.resolve(exit);
    this.#quiet.resolve();
  }

  /** @param forgetGate the end of the process need not wait for it any more */
  #watchExit(forgetGate: () => void): Promise<void> {
    return new Promise((resolve) => {
      let failure: unknown;
      this.#worker.on('error', (error) => {
        failure = error;
      });
      this.#worker.once('exit', (code) => {
        const crash = failure ?? new Error(`exit code ${code}`);
        // Where this thread was busy, Node tells it of the exit before it hands over what the thread had sent.
        setImmediate(() => {
          forgetGate();
          if (this.#condemned !== undefined) this.#over({ kind: 'crashed', error: this.#condemned });
          else if (failure === undefined && code === 0) this.#over({ kind: 'stopped' });
          else this.#over({ kind: 'crashed', error: diedError(this.name, crash) });
          resolve();
        });
      });
    });
  }
}

function errorOf(exit: Exit, name: string): Error {
  return exit.kind === 'stopped' ? diedError(name) : exit.error;
}
