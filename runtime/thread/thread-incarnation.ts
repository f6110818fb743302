/** A life of an actor on a worker thread of its own. */
import { MessageChannel, type Transferable, Worker } from 'node:worker_threads';
import { transfer as comlinkTransfer, type Remote, wrap } from 'comlink';
import nodeEndpoint from 'comlink/dist/esm/node-adapter.mjs';
import type { ActorStats } from '../actor/behaviour.ts';
import type { DeadLetter, DeadLetters } from '../dead-letters.ts';
import { ActorError } from '../errors.ts';
import { moduleBeside } from '../module-beside.ts';
import type { Exit, Incarnation } from '../supervision/incarnation.ts';
import { MessagePortTransport } from '../transport/message-port.ts';
import { isError } from '../util/realms.ts';
import type { ChannelToken } from '../wire/messages.ts';
import { encodePayload } from '../wire/payload-codec.ts';
import { flagsForFiles } from './flags-for-files.ts';
import { type Outcome, type ThreadBoot, type ThreadControl, unwrap } from './thread-control.ts';

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
  readonly #control: Remote<ThreadControl>;
  /** Control calls that wait for an answer: comlink would let them wait for a dead thread for ever. */
  readonly #waiting = new Set<(error: Error) => void>();
  #exit: Exit | undefined;

  constructor(boot: Omit<ThreadBoot, 'control' | 'letters'>, deadLetters: DeadLetters) {
    this.holder = boot.holder;
    this.boardSlot = boot.boardSlot;
    this.#name = boot.name;
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
    this.#control = wrap<ThreadControl>(nodeEndpoint(control.port1));
    this.exited = this.#watchExit(() => {
      control.port1.close();
      letters.port1.close();
    });
    void this.exited.then((exit) => this.#onExit(exit));
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

  abandon(): void {
    this.#worker.unref();
  }

  crash(reason: string): void {
    this.#raced(this.#control.crash(reason)).catch(() => {});
  }

  /** The answer, or the thread's exit, whichever comes first. */
  async #raced<T>(answer: Promise<T>): Promise<T> {
    if (this.#exit !== undefined) throw errorOf(this.#exit, this.#name);
    const gone = Promise.withResolvers<never>();
    this.#waiting.add(gone.reject);
    try {
      return await Promise.race([answer, gone.promise]);
    } finally {
      this.#waiting.delete(gone.reject);
    }
  }

  #onExit(exit: Exit): void {
    this.#exit = exit;
    for (const reject of this.#waiting) reject(errorOf(exit, this.#name));
  }

  #watchExit(cleanUp: () => void): Promise<Exit> {
    return new Promise((resolve) => {
      let failure: unknown;
      this.#worker.on('error', (error) => {
        failure = error;
      });
      this.#worker.once('exit', (code) => {
        cleanUp();
        if (failure === undefined && code === 0) resolve({ kind: 'stopped' });
        else
          resolve({
            kind: 'crashed',
            error: diedError(this.#name, failure ?? new Error(`exit code ${code}`)),
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
