/** A life of an actor on a worker thread of its own. */
import { MessageChannel, Worker } from 'node:worker_threads';
import type { ActorStats } from '../actor/behaviour.ts';
import type { DeadLetter, DeadLetters } from '../dead-letters.ts';
import { ActorError } from '../errors.ts';
import { moduleBeside } from '../module-beside.ts';
import type { Exit, Incarnation } from '../supervision/incarnation.ts';
import { MessagePortTransport } from '../transport/message-port.ts';
import { isError } from '../util/realms.ts';
import type { ChannelToken } from '../wire/messages.ts';
import { encodePayload } from '../wire/payload-codec.ts';
import { ControlClient } from './control-client.ts';
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
 * shape a thread with 24 MB is as fast as with V8's default and holds 26 MB less; with 8 MB it is 4 % slower. The default
 * depends on the machine (192 MB on one of 24 GiB), and a thread under load gets there over minutes.
 */
const YOUNG_GENERATION_MB = 24;

export class ThreadIncarnation implements Incarnation {
  readonly holder: number;
  readonly boardSlot: number;
  readonly threadId: number;
  readonly exited: Promise<Exit>;
  readonly #name: string;
  readonly #worker: Worker;
  readonly #control: ControlClient;

  constructor(boot: Omit<ThreadBoot, 'exitGate' | 'control' | 'letters'>, deadLetters: DeadLetters) {
    this.holder = boot.holder;
    this.boardSlot = boot.boardSlot;
    this.#name = boot.name;
    const control = new MessageChannel();
    const letters = new MessageChannel();
    const exitGate = ExitGate.create();
    const [over] = MessagePortTransport.pair();
    const args = encodePayload(boot.args, over);
    over.close();
    const workerData: ThreadBoot = {
      ...boot,
      args: args.payload,
      exitGate: exitGate.handle(),
      control: control.port2,
      letters: letters.port2,
    };
    this.#worker = new Worker(threadEntry(), {
      name: boot.name,
      workerData,
      transferList: [control.port2, letters.port2, ...args.transfer],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
      ...flagsForFiles(),
    });
    this.threadId = this.#worker.threadId; // -1 once it has exited
    letters.port1.on('message', (letter: DeadLetter) => deadLetters.record(letter));
    letters.port1.unref();
    this.#control = new ControlClient(control.port1);
    const forgetGate = closeAtExit(exitGate);
    this.exited = this.#watchExit((exit) => {
      forgetGate();
      letters.port1.close();
      this.#control.end(errorOf(exit, this.#name));
    });
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

  async stop(): Promise<void> {
    this.#control.order({ order: 'stop' });
    await this.exited;
  }

  abandon(): void {
    this.#worker.unref();
    this.#control.end(diedError(this.#name));
  }

  crash(reason: string): void {
    this.#control.order({ order: 'crash', reason });
  }

  #watchExit(cleanUp: (exit: Exit) => void): Promise<Exit> {
    return new Promise((resolve) => {
      let failure: unknown;
      this.#worker.on('error', (error) => {
        failure = error;
      });
      this.#worker.once('exit', (code) => {
        const exit: Exit =
          failure === undefined && code === 0
            ? { kind: 'stopped' }
            : { kind: 'crashed', error: diedError(this.#name, failure ?? new Error(`exit code ${code}`)) };
        // Where this thread was busy, Node tells it of the exit before it hands over what the thread had sent.
        setImmediate(() => {
          cleanUp(exit);
          resolve(exit);
        });
      });
    });
  }
}

function errorOf(exit: Exit, name: string): Error {
  return exit.kind === 'crashed' ? exit.error : diedError(name);
}

function diedError(name: string, cause?: unknown): ActorError {
  const why = isError(cause) ? `: ${cause.message}` : '';
  return new ActorError(`${name} died${why}`, {
    code: 'ACTOR_DIED',
    retrySafe: true,
    details: { actor: name },
    cause,
  });
}
