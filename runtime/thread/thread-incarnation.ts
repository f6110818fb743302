/** A life of an actor on a worker thread of its own. */
import { MessageChannel, type MessagePort, type Transferable, Worker } from 'node:worker_threads';
import { transfer as comlinkTransfer, type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { ActorStats } from '../actor/behaviour.ts';
import { extensionOf } from '../blueprint.ts';
import type { PulseReader } from '../board/pulse.ts';
import type { DeadLetter, DeadLetters } from '../dead-letters.ts';
import { ActorError } from '../errors.ts';
import type { Exit, Incarnation } from '../supervision/incarnation.ts';
import type { Watched } from '../supervision/watchdog.ts';
import { MessagePortTransport } from '../transport/message-port.ts';
import type { ChannelToken } from '../wire/messages.ts';
import { encodePayload } from '../wire/payload-codec.ts';
import { type Outcome, type ThreadBoot, type ThreadControl, unwrap } from './thread-control.ts';

const ENTRY = new URL(`./thread-entry${extensionOf(import.meta.url)}`, import.meta.url);

/**
 * Room for young objects. What an actor allocates at a high rate are views of tensors, small and soon dead: on the 256M
 * shape a thread with 24 MB is as fast as with V8's default and holds 26 MB less; with 8 MB it is 4 % slower. The default
 * depends on the machine (192 MB on one of 24 GiB), and a thread under load gets there over minutes.
 */
const YOUNG_GENERATION_MB = 24;

export class ThreadIncarnation implements Incarnation, Watched {
  readonly holder: number;
  readonly boardSlot: number;
  readonly threadId: number;
  readonly exited: Promise<Exit>;
  readonly ended: Promise<void>;
  readonly name: string;
  readonly pulse: PulseReader;
  readonly #exited = Promise.withResolvers<Exit>();
  readonly #ports: readonly MessagePort[];
  readonly #worker: Worker;
  readonly #control: Remote<ThreadControl>;
  /** Control calls that wait for an answer: comlink would let them wait for a dead thread for ever. */
  readonly #waiting = new Set<(error: Error) => void>();
  #exit: Exit | undefined;
  /** Why it was ended. */
  #condemned: Error | undefined;

  constructor(boot: Omit<ThreadBoot, 'control' | 'letters'>, pulse: PulseReader, deadLetters: DeadLetters) {
    this.holder = boot.holder;
    this.boardSlot = boot.boardSlot;
    this.name = boot.name;
    this.pulse = pulse;
    const control = new MessageChannel();
    const letters = new MessageChannel();
    const [over] = MessagePortTransport.pair();
    const args = encodePayload(boot.args, over);
    over.close();
    const workerData: ThreadBoot = {
      ...boot,
      args: args.payload,
      control: control.port2,
      letters: letters.port2,
    };
    this.#worker = new Worker(ENTRY, {
      name: boot.name,
      workerData,
      transferList: [control.port2, letters.port2, ...args.transfer],
      resourceLimits: { maxYoungGenerationSizeMb: YOUNG_GENERATION_MB },
    });
    this.threadId = this.#worker.threadId; // -1 once it has exited
    letters.port1.on('message', (letter: DeadLetter) => deadLetters.record(letter));
    letters.port1.unref();
    this.#control = wrap<ThreadControl>(nodeEndpoint(control.port1));
    this.#ports = [control.port1, letters.port1];
    this.exited = this.#exited.promise;
    this.ended = this.#watchExit();
  }

  async start(): Promise<void> {
    unwrap(await this.#raced<Outcome<void>>(this.#control.start()));
  }

  connect(token: ChannelToken): void {
    const moved: readonly Transferable[] = 'postMessage' in token.port ? [token.port] : [];
    this.#raced(this.#control.connect(comlinkTransfer(token, [...moved] as never[]))).catch(() => {});
  }

  async stats(): Promise<ActorStats> {
    return unwrap(await this.#raced<Outcome<ActorStats>>(this.#control.stats()));
  }

  async control(operation: string): Promise<unknown> {
    return unwrap(await this.#raced<Outcome<unknown>>(this.#control.control(operation)));
  }

  async stop(): Promise<void> {
    this.#raced<Outcome<void>>(this.#control.stop()).catch(() => {}); // the exit says more than the answer
    await this.exited;
  }

  /**
   * Ends the thread, if it runs JavaScript. One that is inside native code cannot be ended without the process: it is left
   * behind, and ends itself when it comes out. False when it has just got there or back, or is over.
   */
  condemn(error: Error): boolean {
    if (this.#exit !== undefined || this.#condemned !== undefined) return false;
    if (this.pulse.end()) {
      this.#condemned = error;
      void this.#worker.terminate();
      return true;
    }
    if (!this.pulse.leave()) return false;
    this.#worker.unref();
    this.#over({ kind: 'left', error });
    return true;
  }

  abandon(): void {
    this.condemn(diedError(this.name, new Error('it did not stop')));
    this.#worker.unref();
    for (const port of this.#ports) port.unref();
  }

  lost(holder: number): void {
    this.#raced(this.#control.lost(holder)).catch(() => {});
  }

  crash(reason: string): void {
    this.#raced(this.#control.crash(reason)).catch(() => {});
  }

  /** The answer, or the thread's exit, whichever comes first. */
  async #raced<T>(answer: Promise<T>): Promise<T> {
    if (this.#exit !== undefined) throw errorOf(this.#exit, this.name);
    const gone = Promise.withResolvers<never>();
    this.#waiting.add(gone.reject);
    try {
      return await Promise.race([answer, gone.promise]);
    } finally {
      this.#waiting.delete(gone.reject);
    }
  }

  #over(exit: Exit): void {
    if (this.#exit !== undefined) return;
    this.#exit = exit;
    for (const port of this.#ports) port.close();
    this.#exited.resolve(exit);
    for (const reject of this.#waiting) reject(errorOf(exit, this.name));
  }

  #watchExit(): Promise<void> {
    return new Promise((resolve) => {
      let failure: unknown;
      this.#worker.on('error', (error) => {
        failure = error;
      });
      this.#worker.once('exit', (code) => {
        const crash = failure ?? new Error(`exit code ${code}`);
        if (this.#condemned !== undefined) this.#over({ kind: 'crashed', error: this.#condemned });
        else if (failure === undefined && code === 0) this.#over({ kind: 'stopped' });
        else this.#over({ kind: 'crashed', error: diedError(this.name, crash) });
        resolve();
      });
    });
  }
}

function errorOf(exit: Exit, name: string): Error {
  return exit.kind === 'stopped' ? diedError(name) : exit.error;
}

function diedError(name: string, cause?: unknown): ActorError {
  const why = cause instanceof Error ? `: ${cause.message}` : '';
  return new ActorError(`${name} died${why}`, {
    code: 'ACTOR_DIED',
    retrySafe: true,
    details: { actor: name },
    cause,
  });
}
