/**
 * Work that goes on between messages, such as decoding a batch. A step runs to its end, then the event loop
 * turns once, which delivers what arrived meanwhile (messages, interrupts, timers), then the next step runs.
 * So a message waits for at most one step, and an actor that is told to stop stops after the current one.
 */

/** Returns true while there is more to do. */
export type Step = () => boolean | Promise<boolean>;

/** A loop of steps that an actor wakes when there is work; made by `context.loop`. */
export class StepLoop {
  readonly #step: Step;
  readonly #crash: (error: unknown) => void;
  #state: 'idle' | 'running' | 'stopped' = 'idle';
  #awake = false;
  #done: Promise<void> = Promise.resolve();

  /** @internal */
  constructor(step: Step, crash: (error: unknown) => void) {
    this.#step = step;
    this.#crash = crash;
  }

  /** There is work: starts stepping unless it already does. */
  wake(): void {
    this.#awake = true;
    if (this.#state !== 'idle') return;
    this.#state = 'running';
    this.#done = this.#run();
  }

  /** Resolves when the current step is over; no other follows. @internal */
  async stop(): Promise<void> {
    this.#state = 'stopped';
    await this.#done;
  }

  async #run(): Promise<void> {
    try {
      while (this.#awake) {
        await turn();
        if (this.#state !== 'running') return;
        this.#awake = false;
        if (await this.#step()) this.#awake = true;
      }
      if (this.#state === 'running') this.#state = 'idle';
    } catch (error) {
      this.#state = 'stopped';
      this.#crash(error);
    }
  }
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));
