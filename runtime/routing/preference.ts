/**
 * What a caller's `prefer` says of a member. It is code of the user's, and is asked also long after the call, when a message
 * that waited is sent: there nobody could catch what it throws. So a `prefer` that throws, or gives no number, prefers nobody, and
 * the process is warned; once, for such a function fails at each message.
 */
import { isThenable, textOf } from '../util/realms.ts';
import { warnOfFailure } from '../util/warning.ts';

/** By how much more than others a member may have to do and still be chosen. Never throws. */
export type PreferenceOf = (prefer: ((member: string) => number) | undefined, member: string) => number;

export function preferenceReader(): PreferenceOf {
  let isReported = false;
  const report = (error: unknown) => {
    if (!isReported) warnOfFailure('the prefer of a message', 'PREFER_FAILED', error);
    isReported = true;
  };
  return (prefer, member) => {
    if (prefer === undefined) return 0;
    try {
      const given: unknown = prefer(member);
      if (typeof given === 'number' && !Number.isNaN(given)) return given;
      report(new TypeError(`it gave ${textOf(given)} for "${member}", which is no number`));
      // Of an async function. That is reported already, and what it is rejected with must not end the process.
      if (isThenable(given)) Promise.resolve(given).catch(() => {});
    } catch (error) {
      report(error);
    }
    return 0;
  };
}
