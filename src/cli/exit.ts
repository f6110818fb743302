/** How a command ends: the exit code and the one line on stderr that each failure becomes. */
import { InputError, ModelError } from '../../actors/errors.ts';
import { TroupeError } from '../../runtime/errors.ts';
import { messageOf } from '../../runtime/util/realms.ts';

/** 130 and 143 are what shells report for a process that SIGINT or SIGTERM ended. */
export const EXIT = { ok: 0, failure: 1, invalidInput: 2, SIGINT: 130, SIGTERM: 143 } as const;

/** 2 when the caller has to change something before trying again, else 1. */
export function exitCodeOf(error: unknown): number {
  const callersFault = error instanceof InputError || error instanceof ModelError;
  return callersFault ? EXIT.invalidInput : EXIT.failure;
}

export function errorCodeOf(error: unknown): string {
  return TroupeError.is(error) ? error.code : 'UNEXPECTED';
}

export function errorMessageOf(error: unknown): string {
  return oneLine(messageOf(error));
}

/** `troupe: <message> [CODE]` */
export function errorLine(error: unknown): string {
  return `troupe: ${errorMessageOf(error)} [${errorCodeOf(error)}]`;
}

/** Errors quote files, servers and libraries; none of them may add lines or drive the terminal. */
function oneLine(text: string): string {
  return text.replace(/\p{Cc}+/gu, ' ').trim();
}
