/** Asks a model that loops in native code for one of two requests; ends by a signal, since the thread never comes out. */
import { Troupe } from '../../../src/index.ts';
import { LOOPS, loopingModel } from '../../support/looping-model.ts';

const model = await loopingModel();
// Though the engine could wait long for a first run: what was tried at the start tells what a run may take.
const watchdog = { turnMs: 2_000, nativeMs: 600_000 };
const troupe = await Troupe.start({ model: model.path, pd: { count: 1 }, watchdog });
const hung: string[] = [];
troupe.events.on('actor:hung', ({ actor }) => hung.push(actor));
const ask = (content: string) => troupe.chat({ messages: [{ role: 'user', content }], maxTokens: 2 });
const codes = await Promise.all([
  ask(`what is ${LOOPS}?`).then(
    () => 'answered',
    ({ code }) => code,
  ),
  ask('and what is this?').then(
    () => 'answered',
    ({ code }) => code,
  ),
]);
await model[Symbol.asyncDispose]();
process.stdout.write(JSON.stringify({ hung, codes }), () => process.kill(process.pid, 'SIGKILL'));
