/** Ends while an engine answers many questions, in the way that it is told. */
import { isMainThread, Worker, workerData } from 'node:worker_threads';
import type { Mode } from '../../../src/index.ts';
import { Troupe } from '../../../src/index.ts';
import { goldenMessages, goldens } from '../../support/golden.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';

const [how, mode]: readonly (string | undefined)[] = isMainThread ? process.argv.slice(2) : workerData;

if (how === 'exit of a worker' && isMainThread)
  new Worker(new URL(import.meta.url), { workerData: [how, mode] });
else await endUnderLoad();

async function endUnderLoad(): Promise<void> {
  const troupe = await Troupe.start({ model: PILOT_MODEL, mode: mode as Mode });
  const streams = goldens.map((one) => troupe.stream({ messages: goldenMessages(one) }));
  for (const stream of streams) stream.result.catch(() => {});
  // Actors are at the next step of some and the images of others.
  for await (const _ of streams[0] ?? []) {
    if (how === 'error')
      setImmediate(() => {
        throw new Error('nobody handles this');
      });
    else process.exit(3);
  }
}
