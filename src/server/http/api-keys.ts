/** Who may ask: keys compared in a time that tells nothing about them. */
import { createHash, timingSafeEqual } from 'node:crypto';

/** RFC 9110, 11.4: the scheme in any case, then spaces, then the credentials. */
const CREDENTIALS = /^Bearer +([\x21-\x7e]+)$/i;

const FINGERPRINT_LENGTH = 12;

export class ApiKeys {
  /** Of one length, whatever the keys' lengths are. */
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map((key) => createHash('sha256').update(key).digest());
  }

  get required(): boolean {
    return this.#digests.length > 0;
  }

  /**
   * @param authorization the header: `Bearer KEY`
   * @param bare the header `x-api-key`, which counts where there is no such other
   * @returns what tells the key from others without being it, however the header is written; undefined for none that is
   *   known
   */
  identify(authorization: string | undefined, bare?: string | readonly string[]): string | undefined {
    const key = CREDENTIALS.exec(authorization ?? '')?.[1] ?? bare;
    if (typeof key !== 'string') return undefined;
    const given = createHash('sha256').update(key).digest();
    let known = false;
    // All of them are compared, whichever fits.
    for (const digest of this.#digests) known = timingSafeEqual(digest, given) || known;
    return known ? given.toString('base64url').slice(0, FINGERPRINT_LENGTH) : undefined;
  }
}
