/** Runs a script in a process of its own, to its end, for the one message that it sends. */
import { fork } from 'node:child_process';
import { once } from 'node:events';

/**
 * @param name what errors call it
 * @param args strings, as on a command line
 * @param flags Node's own
 * @throws Error when it fails, or sends nothing
 */
export async function childMessage<Message>(
  name: string,
  script: URL,
  args: readonly string[],
  flags: readonly string[],
): Promise<Message> {
  const child = fork(script, args, { execArgv: [...flags] });
  let sent: Message | undefined;
  child.on('message', (message: Message) => {
    sent = message;
  });
  const [code] = await once(child, 'exit');
  if (code !== 0 || sent === undefined) throw new Error(`${name} ended (${code})`);
  return sent;
}
