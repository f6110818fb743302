/** An actor that begins tells and ends some of them, or the client that looks which are under way: one side, which a test steps through. */
import { workerData } from 'node:worker_threads';
import { cellsOf, FlowReceiver, FlowSender } from '../../../../runtime/channel/flow-control.ts';
import { BegunTells, type Place, TellPlaces } from '../../../../runtime/channel/tells-under-way.ts';
import { runStepped } from '../../support/interleavings/stepped.ts';
import type { Stepped } from '../../support/interleavings/steps.ts';

export interface SteppedTells extends Stepped {
  readonly side: 'actor' | 'client';
  /** In order: a number begins that tell, or ends it if it has begun. */
  readonly script: readonly number[];
}

const tells = workerData as SteppedTells;
const { memory, side, script } = tells;
const cells = cellsOf(memory, 'normal');

function act(): number {
  const receiver = new FlowReceiver(memory);
  const places = new TellPlaces(cells, () => {}); // the table is on its way for ever
  const begun = new Map<number, Place>();
  for (const number of script) {
    const place = begun.get(number);
    if (place !== undefined) places.giveBack(place);
    else {
      begun.set(number, places.take(number));
      receiver.start(0);
    }
  }
  return 0;
}

/** A bit for each of those that have begun and not ended, as far as is seen; above them, how many have begun. */
function look(): number {
  const sent = Math.max(...script) + 1;
  const sender = new FlowSender(memory);
  const begun = new BegunTells(cells);
  for (let number = 0; number < sent; number++) sender.spend(0);
  const started = sent - sender.unstarted;
  begun.look();
  for (let number = 0; number < started; number++) begun.note(number, `${number}`);
  return (started << sent) | [...begun.methods].reduce((bits, method) => bits | (1 << Number(method)), 0);
}

runStepped(tells, side === 'actor' ? act : look);
