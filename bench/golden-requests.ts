/** The requests of the end-to-end suite: pictures and questions of the embedded model's test set, round and round. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type PeerRequest, userRequest } from './peers/peer-request.ts';

interface Golden {
  readonly image: string;
  readonly question: string;
}

/** More than any answer of the embedded model. */
const MAX_TOKENS = 64;

const FOLDER = new URL('../test/fixtures/golden/', import.meta.url);

const goldens: readonly Golden[] = JSON.parse(readFileSync(new URL('golden.json', FOLDER), 'utf8'));

/** Each side of a comparison has a cycle of its own, so that all of them answer the same requests. */
export class RequestCycle {
  #next = 0;

  take(count: number): PeerRequest[] {
    return Array.from({ length: count }, () => {
      const golden = goldens[this.#next++ % goldens.length];
      if (golden === undefined) throw new Error('golden.json is empty');
      const image = fileURLToPath(new URL(golden.image, FOLDER));
      return userRequest(
        [
          { type: 'image', image },
          { type: 'text', text: golden.question },
        ],
        MAX_TOKENS,
      );
    });
  }
}
