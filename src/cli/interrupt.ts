/**
 * Ctrl-C and SIGTERM. The first one aborts a signal, on which the command ends its request and stops the engine
 * in order. A second one, or an end that takes too long, ends the process by the very signal: the kernel does it,
 * so native code that is still running on a thread cannot turn it into an abort, as it would turn `process.exit`.
 */
import process from 'node:process';
import { after } from '../../runtime/util/timers.ts';
import { EXIT } from './exit.ts';

type EndingSignal = 'SIGINT' | 'SIGTERM';

const ENDING_SIGNALS: readonly EndingSignal[] = ['SIGINT', 'SIGTERM'];

/** How long an orderly end may take before the process is ended anyway. */
const PATIENCE_MS = 1_500;

export class Interrupt {
  readonly #controller = new AbortController();
  readonly #onSignal = (signal: EndingSignal) => this.#receive(signal);
  #received: EndingSignal | undefined;
  #patienceMs = PATIENCE_MS;

  constructor() {
    for (const name of ENDING_SIGNALS) process.on(name, this.#onSignal);
  }

  /** Aborted by the first signal, or by `abort`. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** The exit code that says which signal came, if one did. */
  get exitCode(): number | undefined {
    return this.#received === undefined ? undefined : EXIT[this.#received];
  }

  /** Ends the command's work for another reason than a signal. */
  abort(reason: unknown): void {
    this.#controller.abort(reason);
  }

  /** For a command whose orderly end takes longer. */
  takeTime(patienceMs: number): void {
    this.#patienceMs = patienceMs;
  }

  /**
   * The process does not end by itself: once all JavaScript is done, Node would wait for its threads. What is being written
   * has a moment.
   */
  endAnyway(): void {
    after(PATIENCE_MS, () => this.#leave());
  }

  /** Gives the signals their default effect back. */
  dispose(): void {
    for (const name of ENDING_SIGNALS) process.off(name, this.#onSignal);
  }

  #receive(signal: EndingSignal): void {
    if (this.#received !== undefined) {
      this.#leave();
      return;
    }
    this.#received = signal;
    after(this.#patienceMs, () => this.#leave()).unref();
    this.#controller.abort(signal);
  }

  #leave(): void {
    this.dispose(); // without listeners a signal has its default effect again
    process.kill(process.pid, this.#received ?? 'SIGKILL');
  }
}
