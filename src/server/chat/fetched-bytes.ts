/**
 * The bytes of one request's fetched images, reserved together: once all hosts have said how much is to come, and before
 * any of it is read. A request that held some of its images while it waited for room for the rest could wait for ever.
 */
import { InputError } from '../../../actors/errors.ts';
import type { Reservation, WaitingBudget } from '../waiting-budget.ts';

export class FetchedBytes {
  readonly #budget: WaitingBudget;
  readonly #images: number;
  /** Most bytes of one image. */
  readonly #maxBytes: number;
  readonly #signal: AbortSignal;
  /** Resolves to what an image of unknown size may take. */
  readonly #room = Promise.withResolvers<number>();
  readonly #announced: (number | undefined)[] = [];
  #reservation: Reservation | undefined;

  /** @param images that the request has to fetch */
  constructor(budget: WaitingBudget, images: number, maxBytes: number, signal: AbortSignal) {
    this.#budget = budget;
    this.#images = images;
    this.#maxBytes = maxBytes;
    this.#signal = signal;
    this.#room.promise.catch(() => undefined); // those who wait are told; nobody else needs to be
    signal.addEventListener('abort', () => this.#room.reject(signal.reason), { once: true });
  }

  /**
   * Waits until there is room for all images of the request.
   * @param announced bytes of this image, where its host says how many
   * @returns most bytes that it may have
   * @throws InputError IMAGES_TOO_LARGE_BYTES; the signal's reason when it aborts
   */
  async admit(announced: number | undefined): Promise<number> {
    this.#announced.push(announced);
    if (this.#announced.length === this.#images) this.#reserve().then(this.#room.resolve, this.#room.reject);
    const unknown = await this.#room.promise;
    return announced ?? unknown;
  }

  /** What came is all that is held. */
  complete(bytes: number): void {
    this.#reservation?.shrinkTo(bytes);
  }

  release(): void {
    this.#reservation?.release();
  }

  async #reserve(): Promise<number> {
    const { limit } = this.#budget;
    const known = this.#announced.filter((bytes) => bytes !== undefined);
    const sum = known.reduce((total, bytes) => total + bytes, 0);
    if (sum > limit) throw tooMuch(sum, limit);
    const unknown = this.#images - known.length;
    const each = unknown === 0 ? 0 : Math.min(this.#maxBytes, Math.floor((limit - sum) / unknown));
    this.#reservation = await this.#budget.reserve(sum + each * unknown, this.#signal);
    if (this.#signal.aborted) this.release();
    return each;
  }
}

function tooMuch(bytes: number, limit: number): InputError {
  return new InputError('IMAGES_TOO_LARGE_BYTES', 'name images that are too large together', {
    field: 'messages',
    value: `${bytes} bytes, of ${limit} that all requests may hold`,
    remedy: 'Name fewer or smaller images.',
  });
}
