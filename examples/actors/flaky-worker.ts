/**
 * A worker that dies of some jobs. The job that killed it fails, with the reason, and is not tried again: it had begun.
 * Those behind it are served by the next incarnation.
 *
 * Run it: node examples/actors/flaky-worker.ts
 */
import { ActorError, ActorSystem } from '../../runtime/index.ts';
import { flaky } from './protocols.ts';

await using system = new ActorSystem();
const worker = await system.spawn(flaky, undefined, {
  name: 'worker',
  restart: { maxRestarts: 10, minBackoffMs: 5 },
});

const jobs = Array.from({ length: 9 }, (_, number) => worker.ask('job', number));
for (const outcome of await Promise.allSettled(jobs)) {
  if (outcome.status === 'fulfilled') console.log(outcome.value);
  else if (outcome.reason instanceof ActorError)
    console.log(outcome.reason.code, outcome.reason.retrySafe ? '(safe to retry)' : '(it had begun)');
}
console.log(system.status()[0]?.restarts, 'restarts');
