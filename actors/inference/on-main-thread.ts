/**
 * Has something done on the main thread that was not asked beforehand: as a debugger does, the one way that a worker has.
 * No port is opened. It takes a millisecond, unless the main thread is held up.
 */

import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { BroadcastChannel } from 'node:worker_threads';
import { after } from '../../runtime/util/timers.ts';

/**
 * @param statement JavaScript, run in the main thread's global scope
 * @param patienceMs for the main thread to answer
 * @throws Error when it does not, or where Node has no inspector or may not use it
 */
export async function onMainThread(statement: string, patienceMs: number): Promise<void> {
  const name = `troupe-${randomUUID()}`;
  const channel = new BroadcastChannel(name);
  const tooLate = Promise.withResolvers<never>();
  const timer = after(patienceMs, () =>
    tooLate.reject(new Error(`the main thread does not answer in ${patienceMs} ms`)),
  );
  try {
    await Promise.race([evaluated(`${statement}; ${echo(name)}`), tooLate.promise]);
    // A thread that ends while the main thread takes leave of its session makes Node 24 abort the process. What the main
    // thread hears after `disconnect` it hears when that is done.
    const heard = once(channel, 'message');
    channel.postMessage('disconnected');
    await Promise.race([heard, tooLate.promise]);
  } finally {
    clearTimeout(timer);
    channel.close();
  }
}

async function evaluated(expression: string): Promise<void> {
  const { Session } = await import('node:inspector/promises');
  const session = new Session();
  session.connectToMainThread();
  try {
    const { exceptionDetails } = await session.post('Runtime.evaluate', { expression });
    if (exceptionDetails !== undefined) throw new Error(exceptionDetails.text);
  } finally {
    session.disconnect();
  }
}

/** Sends back the first message that comes, and keeps nobody alive. */
function echo(name: string): string {
  return `{
    const { BroadcastChannel } = process.getBuiltinModule('node:worker_threads');
    const channel = new BroadcastChannel('${name}');
    channel.onmessage = ({ data }) => {
      channel.postMessage(data);
      channel.close();
    };
    channel.unref();
  }`;
}
