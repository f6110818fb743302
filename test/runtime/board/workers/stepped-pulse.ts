/** The thread that goes into native code and out of it, or the supervisor that condemns it: one side, which a test steps through. */
import { workerData } from 'node:worker_threads';
import { Pulse, PulseReader } from '../../../../runtime/board/pulse.ts';
import { Parked, runStepped } from '../../support/interleavings/stepped.ts';
import { FATE, FLAGS, type SteppedPulse, THREAD } from './pulse-sides.ts';

const data = workerData as SteppedPulse;
const cells = new Int32Array(data.memory);
const { calls, depth, flags } = data;
const LIMITS = { turnMs: 1, setUpMs: 1, nativeMs: 1 };

class Exited extends Error {}

function lookForHarm(): void {
  if (flags[FLAGS.inside] !== 0 && flags[FLAGS.toldEnded] !== 0) flags[FLAGS.harmed] = 1;
}

function run(): number {
  flags[FLAGS.inside] = 0;
  const pulse = new Pulse(cells, LIMITS, () => {
    throw new Exited();
  });
  try {
    for (let call = 0; call < calls; call++) {
      for (let level = 0; level < depth; level++) {
        pulse.entered();
        flags[FLAGS.inside] = 1;
        lookForHarm();
      }
      for (let level = 0; level < depth; level++) {
        if (level === depth - 1) flags[FLAGS.inside] = 0;
        pulse.left();
      }
    }
    return THREAD.inJavaScript;
  } catch (error) {
    if (error instanceof Parked) return THREAD.parked;
    if (error instanceof Exited) return THREAD.exited;
    throw error;
  }
}

function condemn(): number {
  flags[FLAGS.toldEnded] = 0;
  flags[FLAGS.harmed] = 0;
  const fate = new PulseReader(cells).giveUp();
  if (fate !== 'ended') return fate === 'left' ? FATE.left : FATE.neither;
  flags[FLAGS.toldEnded] = 1;
  lookForHarm();
  return FATE.ended;
}

runStepped(data, data.side === 'thread' ? run : condemn);
