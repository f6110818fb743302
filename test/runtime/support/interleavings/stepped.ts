/** The side of a thread whose every access to some shared memory waits for leave: so a test decides the order of those of two threads. */
import { STATE, STEPS, type Stepped } from './steps.ts';

const { load, store, add, compareExchange, wait, notify } = Atomics;

/** Does the work once each round, for ever; its result is what the test is told. A wait on the memory ends a round: who waits there is not woken. */
export function runStepped({ memory, cells: counted, steps }: Stepped, work: () => number): never {
  const isStepped = (cells: unknown, at: number): boolean =>
    cells instanceof Int32Array &&
    cells.buffer === memory &&
    (counted === undefined || counted.includes(cells.byteOffset / Int32Array.BYTES_PER_ELEMENT + at));
  const announce = (state: number) => {
    store(steps, STEPS.state, state);
    notify(steps, STEPS.state);
  };
  const step = (cells: unknown, at: number) => {
    if (!isStepped(cells, at)) return;
    store(steps, STEPS.leave, 0);
    announce(STATE.atAccess);
    wait(steps, STEPS.leave, 0);
  };
  Atomics.load = ((cells: Int32Array, at: number) => {
    step(cells, at);
    return load(cells, at);
  }) as typeof Atomics.load;
  Atomics.store = ((cells: Int32Array, at: number, value: number) => {
    step(cells, at);
    return store(cells, at, value);
  }) as typeof Atomics.store;
  Atomics.add = ((cells: Int32Array, at: number, value: number) => {
    step(cells, at);
    return add(cells, at, value);
  }) as typeof Atomics.add;
  Atomics.compareExchange = ((cells: Int32Array, at: number, expected: number, value: number) => {
    step(cells, at);
    return compareExchange(cells, at, expected, value);
  }) as typeof Atomics.compareExchange;
  Atomics.wait = ((cells: Int32Array<SharedArrayBuffer>, at: number, value: number) => {
    if (isStepped(cells, at) && load(cells, at) === value) throw new Parked();
    return 'not-equal';
  }) as typeof Atomics.wait;
  for (let round = 0; ; round++) {
    wait(steps, STEPS.round, round);
    store(steps, STEPS.result, work());
    announce(STATE.done);
  }
}

/** It waits in the memory, and nobody wakes it. */
export class Parked extends Error {}
