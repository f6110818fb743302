/** What goes wrong where nobody waits for it, so nobody can be thrown at: the process is warned. Never throws, whatever it was. */
import process from 'node:process';
import { messageOf, stackOf } from './realms.ts';

/** What fails: a listener of events; a `prefer` that a message was sent with. */
export type WarningCode = 'LISTENER_FAILED' | 'PREFER_FAILED';

/** A message that came to this thread is lost. */
export function warnOfUnreadable(cause: unknown): void {
  process.emitWarning(`a message to this thread cannot be read, and is lost: ${messageOf(cause)}`, {
    code: 'MESSAGE_UNREADABLE',
  });
}

/** A function of the user's failed. @param what the function is, for people */
export function warnOfFailure(what: string, code: WarningCode, error: unknown): void {
  const detail = stackOf(error);
  process.emitWarning(`${what} failed: ${messageOf(error)}`, {
    type: 'TroupeWarning',
    code,
    ...(detail === undefined ? {} : { detail }),
  });
}
