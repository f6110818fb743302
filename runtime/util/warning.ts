/**
 * A function of the user's failed where nobody waits for it, so nobody can be thrown at: the process is warned. Never throws,
 * whatever the function did.
 */
import process from 'node:process';
import { messageOf, stackOf } from './realms.ts';

/** What fails: a listener of events; a `prefer` that a message was sent with. */
export type WarningCode = 'LISTENER_FAILED' | 'PREFER_FAILED';

/** @param what the function is, for people */
export function warnOfFailure(what: string, code: WarningCode, error: unknown): void {
  const detail = stackOf(error);
  process.emitWarning(`${what} failed: ${messageOf(error)}`, {
    type: 'TroupeWarning',
    code,
    ...(detail === undefined ? {} : { detail }),
  });
}
