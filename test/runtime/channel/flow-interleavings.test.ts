/**
 * Every order in which the accesses of a sender and of an actor to the cells of one channel can follow each other: a sender
 * that found no credit is woken, whatever the order.
 */
import assert from 'node:assert/strict';
import { after, describe, it } from 'node:test';
import { Worker } from 'node:worker_threads';
import { FlowSender } from '../../../runtime/channel/flow-control.ts';
import { STATE, STEPS, type SteppedFlow } from './workers/steps.ts';

const LEAST_MS = 10_000;

class Side {
  readonly #steps = new Int32Array(new SharedArrayBuffer(16));
  readonly #worker: Worker;

  constructor(data: Omit<SteppedFlow, 'steps'>) {
    const workerData: SteppedFlow = { ...data, steps: this.#steps };
    this.#worker = new Worker(new URL('./workers/stepped-flow.ts', import.meta.url), { workerData });
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

/** Sizes at which all orders are some thousands. */
const CASES = [
  { window: 1, messages: 1, bytes: 0, attempts: 1 },
  { window: 2, messages: 2, bytes: 0, attempts: 1 },
  { window: 3, messages: 3, bytes: 0, attempts: 1 },
  { window: 1, messages: 1, bytes: 0, attempts: 2 },
  { window: 8, messages: 1, bytes: 1024, attempts: 1 },
  { window: 8, messages: 2, bytes: 1024, attempts: 1 },
];

for (const { window, messages, bytes, attempts } of CASES) {
  const what = bytes === 0 ? `a window of ${window}` : `room for the bytes of ${messages}`;
  describe(`flow control with ${what}, whose sender asks ${attempts === 1 ? 'once' : 'twice'}`, () => {
    const flow = FlowSender.createBuffer();
    const sides = (['sender', 'receiver'] as const).map(
      (side) => new Side({ flow, side, window, messages, bytes, attempts }),
    );
    after(() => Promise.all(sides.map((side) => side.end())));

    it('wakes a sender without credit, in every order of the accesses, and no more often than it asked', () => {
      const [sender, receiver] = sides;
      assert(sender !== undefined && receiver !== undefined);
      let orders = 0;
      let woken = 0;
      // Which side goes first at each choice; the next order differs from this one in the last choice that can.
      for (let choices: number[] | undefined = []; choices !== undefined; ) {
        orders += 1;
        new Int32Array(flow).fill(0);
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
        // One that found credit after all may be woken for nothing.
        const isWoken = receiver.result >= sender.result && receiver.result <= attempts;
        assert(isWoken, `in the order ${taken.join('')}`);
        woken += sender.result;
        const last = free.lastIndexOf(true);
        choices = last === -1 ? undefined : [...taken.slice(0, last), 1];
      }
      assert(woken > 0 && woken < orders, `${woken} of ${orders} orders end with a wait`);
    });
  });
}
