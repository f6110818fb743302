/** The requests of suites on the embedded model: pictures and questions of its test set. */
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { type PeerRequest, userRequest } from './peers/peer-request.ts';

/** More than any answer of the embedded model. */
export const LONGEST_ANSWER = 64;

interface Golden {
  readonly image: string;
  readonly question: string;
}

const FOLDER = new URL('../test/fixtures/golden/', import.meta.url);

const goldens: readonly Golden[] = JSON.parse(readFileSync(new URL('golden.json', FOLDER), 'utf8'));
if (goldens.length === 0) throw new Error('golden.json is empty');

const pathOf = ({ image }: Golden): string => fileURLToPath(new URL(image, FOLDER));

/** Paths, each once. */
export const goldenPictures: readonly string[] = [...new Set(goldens.map(pathOf))];
/** Each once. */
export const goldenQuestions: readonly string[] = [...new Set(goldens.map(({ question }) => question))];

/** Picture and question by turns; each side of a comparison has its own cycle, so that all answer the same requests. */
export class RequestCycle {
  #next = 0;

  take(count: number): PeerRequest[] {
    return Array.from({ length: count }, () => {
      const golden = goldens[this.#next++ % goldens.length];
      if (golden === undefined) throw new Error('golden.json is empty');
      const image = { type: 'image', image: pathOf(golden) } as const;
      return userRequest([image, { type: 'text', text: golden.question }], LONGEST_ANSWER);
    });
  }
}
