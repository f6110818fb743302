/** Who may ask: keys compared in a time that tells nothing about them. */
import { createHash, timingSafeEqual } from 'node:crypto';

export class ApiKeys {
  /** Of one length, whatever the keys' lengths are. */
  readonly #digests: readonly Buffer[];

  constructor(keys: readonly string[]) {
    this.#digests = keys.map(digest);
  }

  get required(): boolean {
    return this.#digests.length > 0;
  }

  /** @param authorization the header: `Bearer <key>` */
  accepts(authorization: string | undefined): boolean {
    const key = /^Bearer +(\S+)$/i.exec(authorization ?? '')?.[1];
    if (key === undefined) return false;
    const given = digest(key);
    let accepted = false;
    // All of them are compared, whichever fits.
    for (const known of this.#digests) accepted = timingSafeEqual(known, given) || accepted;
    return accepted;
  }

  /** Tells clients apart without keeping their keys. */
  static fingerprint(authorization: string): string {
    return digest(authorization).toString('base64url').slice(0, 12);
  }
}

function digest(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
