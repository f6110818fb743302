/** Goes through every order in which the accesses of two threads to the same shared memory can follow each other. */
import assert from 'node:assert/strict';
import { Worker } from 'node:worker_threads';
import { STATE, STEPS, type Stepped } from './steps.ts';

const LEAST_MS = 10_000;

/** A thread that a test steps through; its module calls `runStepped`. */
export class Side {
  readonly #steps = new Int32Array(new SharedArrayBuffer(16));
  readonly #worker: Worker;

  constructor(module: URL, data: Omit<Stepped, 'steps'>) {
    const workerData: Stepped = { ...data, steps: this.#steps };
    this.#worker = new Worker(module, { workerData });
  }

  begin(round: number): void {
    Atomics.store(this.#steps, STEPS.state, STATE.idle);
    Atomics.store(this.#steps, STEPS.round, round);
    Atomics.notify(this.#steps, STEPS.round);
    this.#arrived();
  }

  get isDone(): boolean {
    return Atomics.load(this.#steps, STEPS.state) === STATE.done;
  }

  get result(): number {
    return Atomics.load(this.#steps, STEPS.result);
  }

  /** Lets it do one access, and waits until it is at the next one, or done. */
  step(): void {
    Atomics.store(this.#steps, STEPS.state, STATE.idle);
    Atomics.store(this.#steps, STEPS.leave, 1);
    Atomics.notify(this.#steps, STEPS.leave);
    this.#arrived();
  }

  async end(): Promise<void> {
    await this.#worker.terminate();
  }

  #arrived(): void {
    const outcome = Atomics.wait(this.#steps, STEPS.state, STATE.idle, LEAST_MS);
    assert.notEqual(outcome, 'timed-out');
  }
}

/** @param check called at the end of each order, which is that of the sides (0, 1) at each access. @returns how many there are */
export function everyOrder(
  sides: readonly [Side, Side],
  memory: SharedArrayBuffer,
  check: (order: string) => void,
): number {
  let orders = 0;
  // Which side goes first at each choice; the next order differs from this one in the last choice that can.
  for (let choices: number[] | undefined = []; choices !== undefined; ) {
    orders += 1;
    new Int32Array(memory).fill(0);
    for (const side of sides) side.begin(orders);
    const taken: number[] = [];
    const free: boolean[] = [];
    while (!sides.every((side) => side.isDone)) {
      const open = sides.filter((side) => !side.isDone);
      const wanted = choices[taken.length] ?? 0;
      const chosen = open.length === 2 ? wanted : 0;
      taken.push(chosen);
      free.push(open.length === 2 && chosen === 0);
      open[chosen]?.step();
    }
    check(taken.join(''));
    const last = free.lastIndexOf(true);
    choices = last === -1 ? undefined : [...taken.slice(0, last), 1];
  }
  return orders;
}
