/**
 * Requests that were in an actor when it died. One of them may be why, and would do it again: so they are tried again one
 * after the other, each until its first token, and who is there at a second death is not tried a third time. The others
 * are answered. Where the supervisor saw whom a hung actor worked for, that request is not tried again at all.
 */
import { TroupeError } from '../runtime/errors.ts';
import { workTag } from '../runtime/thread/this-thread.ts';

/** Deaths of an actor that a request may be there at. */
const MOST_DEATHS = 2;
/** Requests that were found to hang an actor are remembered until so many others were. */
const REMEMBERED = 1_000;

export class Suspects {
  readonly #guilty = new Set<number>();
  /** Settles when the last one in line has left. */
  #last: Promise<void> = Promise.resolve();

  /** An actor hung. @param work the tag of the request that it worked for; 0 when that is not known */
  actorHung(work: number): void {
    if (work !== 0) this.#guilty.add(work);
    if (this.#guilty.size <= REMEMBERED) return;
    for (const oldest of this.#guilty) {
      this.#guilty.delete(oldest);
      return;
    }
  }

  /** Why a request that was there at so many deaths is not tried again; undefined when it is. */
  verdict(requestId: string, deaths: number, cause: TroupeError): TroupeError | undefined {
    if (this.#guilty.delete(workTag(requestId))) return crashed(requestId, 'hung an actor', cause);
    if (deaths < MOST_DEATHS) return undefined;
    return crashed(requestId, `was in an actor each time that it died, ${deaths} times`, cause);
  }

  /** Resolves when it is the request's turn. @returns gives the turn to the next; @throws the signal's reason */
  async turn(signal: AbortSignal): Promise<() => void> {
    const before = this.#last;
    const mine = Promise.withResolvers<void>();
    this.#last = before.then(() => mine.promise);
    const aborted = Promise.withResolvers<never>();
    const onAbort = () => aborted.reject(signal.reason);
    signal.addEventListener('abort', onAbort, { once: true });
    try {
      signal.throwIfAborted();
      await Promise.race([before, aborted.promise]);
      return mine.resolve;
    } catch (error) {
      mine.resolve();
      throw error;
    } finally {
      signal.removeEventListener('abort', onAbort);
    }
  }
}

function crashed(requestId: string, did: string, cause: TroupeError): TroupeError {
  return new TroupeError(`request ${requestId} ${did}, and is not tried again`, {
    code: 'REQUEST_CRASHED_ACTOR',
    details: { requestId },
    cause,
  });
}
