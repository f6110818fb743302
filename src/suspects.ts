/**
 * Requests that were in an actor when it died. One of them may be why, and would do it again: so they are tried again a few at
 * a time, each until its first token, and those that see another death together each alone; so are at once those whose actor hung
 * in native code, since each such death costs a core. Who is there at a second death
 * alone is not tried again. The others are answered. Where the supervisor saw whom a hung actor worked for, that request is not tried again at all.
 *
 * Deaths that a request is to blame for say nothing about the actor: they do not count towards giving it up, unless so many
 * have come without a single answer in between that the actor itself must be what is broken.
 */
import { TroupeError } from '../runtime/errors.ts';
import { workTag } from '../runtime/thread/this-thread.ts';
import { pause } from '../runtime/util/timers.ts';
import { RetryLine, type Turn } from './retry-line.ts';

/** Deaths of an actor after which a request may be to blame. */
const SUSPICIOUS = 2;
/** Deaths that one request may bring about: among all, among a few, alone. */
const MOST_DEATHS = 3;
/** The death of an actor is heard of after that of its ports, within ms. */
const HEARSAY_MS = 1_000;
/** Requests that were found to hang an actor are remembered until so many others were. */
const REMEMBERED = 1_000;
/** Deaths without an answer in between that may all be requests' faults. */
const FORGIVEN_IN_A_ROW = 20;

/** A request that is to be tried again. */
export interface Suspect {
  /** How many it was there at. */
  readonly deaths: number;
  /** Deaths of actors before it was submitted. */
  readonly before: number;
  /** It is not tried again after this. */
  readonly isLast: boolean;
}

export class Suspects {
  readonly #guilty = new Set<number>();
  readonly #forgive: (actor: string) => void;
  /** The actors of the last deaths, the latest at the end. */
  #dead: string[] = [];
  /** Actors whose threads are left behind: such deaths cost memory and a core, whoever is to blame. */
  readonly #left = new Set<string>();
  /** Deaths up to and with the last one of these. */
  #costlyDeaths = 0;
  #deaths = 0;
  #sinceAnswer = 0;
  #onDeath = Promise.withResolvers<void>();
  readonly #line = new RetryLine();

  /** @param forgive the actor's last death was a request's fault */
  constructor(forgive: (actor: string) => void = () => {}) {
    this.#forgive = forgive;
  }

  /** Deaths of actors so far. */
  get deaths(): number {
    return this.#deaths;
  }

  /** A request was answered. */
  answered(): void {
    this.#sinceAnswer = 0;
  }

  /** Its thread hangs in native code; its death follows. */
  actorLeft(actor: string): void {
    this.#left.add(actor);
  }

  actorDied(actor: string): void {
    this.#deaths += 1;
    this.#line.noteDeath();
    this.#sinceAnswer += 1;
    const isCostly = this.#left.delete(actor);
    if (isCostly) this.#costlyDeaths = this.#deaths;
    this.#dead = [...this.#dead, isCostly ? '' : actor].slice(-MOST_DEATHS);
    this.#onDeath.resolve();
    this.#onDeath = Promise.withResolvers();
  }

  /**
   * How many deaths a request was there at that was lost so many times since `before` deaths. The end of an actor's ports
   * is heard before its own, and a request can be lost twice in one death, when it is sent on to an actor that has just
   * gone: so the deaths are waited for, a moment.
   */
  async deathsOf(losses: number, before: number): Promise<number> {
    const patience = new AbortController();
    const late = pause(HEARSAY_MS, patience.signal);
    let isLate = false;
    void late.then(() => {
      isLate = true;
    });
    while (this.#deaths - before < losses && !isLate) await Promise.race([this.#onDeath.promise, late]);
    patience.abort();
    return Math.min(losses, this.#deaths - before);
  }

  /** An actor hung. @param work the tag of the request that it worked for; 0 when that is not known */
  actorHung(work: number): void {
    if (work !== 0) this.#guilty.add(work);
    if (this.#guilty.size <= REMEMBERED) return;
    for (const oldest of this.#guilty) {
      this.#guilty.delete(oldest);
      return;
    }
  }

  /**
   * Why a request that was there at so many deaths is not tried again; undefined when it is.
   * @param alone the last of them came while no other suspect was tried
   */
  verdict(requestId: string, deaths: number, alone: boolean, cause: TroupeError): TroupeError | undefined {
    if (this.#guilty.delete(workTag(requestId))) {
      this.#forgiveLast(1);
      return crashed(requestId, 'hung an actor', cause);
    }
    if (deaths < SUSPICIOUS || !alone) return undefined;
    this.#forgiveLast(deaths);
    return crashed(requestId, `was in an actor each time that it died, ${deaths} times`, cause);
  }

  #forgiveLast(deaths: number): void {
    const forgiven = this.#dead.splice(-deaths).filter((actor) => actor !== '');
    if (this.#sinceAnswer <= FORGIVEN_IN_A_ROW) for (const actor of forgiven) this.#forgive(actor);
  }

  /**
   * Resolves when it is a request's turn.
   * @throws the signal's reason
   */
  async turn(signal: AbortSignal, { deaths, before, isLast }: Suspect): Promise<Turn> {
    return await this.#line.turn(signal, isLast || deaths >= SUSPICIOUS || this.#costlyDeaths > before);
  }
}

function crashed(requestId: string, did: string, cause: TroupeError): TroupeError {
  return new TroupeError(`request ${requestId} ${did}, and is not tried again`, {
    code: 'REQUEST_CRASHED_ACTOR',
    details: { requestId },
    cause,
  });
}
