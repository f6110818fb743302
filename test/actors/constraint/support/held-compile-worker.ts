/** The worker that compiles, as a test wants it: it says when it begins, and waits until it may go on, or never ends. */

import type { ConstraintToCompile } from '../../../../actors/constraint/compile-for-answers.ts';
import * as worker from '../../../../actors/constraint/compile-worker.ts';

export const CHANNEL = 'compile-worker';
export const FOR_EVER = 'for ever';

const channel = new BroadcastChannel(CHANNEL);
let go = Promise.withResolvers<void>();
channel.onmessage = () => go.resolve();
channel.unref();

export async function compile(task: ConstraintToCompile): ReturnType<typeof worker.compile> {
  const name = task.constraint.type === 'choice' ? task.constraint.choices[0] : task.constraint.type;
  channel.postMessage(name);
  if (name === FOR_EVER) for (;;);
  await go.promise;
  go = Promise.withResolvers<void>();
  return await worker.compile(task);
}

export const { blame } = worker;
