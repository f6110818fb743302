/** Requests of every size for the embedded model: no, one or two pictures, short and long text, short and long answers. */
import { SeededRandom } from '../../actors/pd/sampler/random.ts';
import { goldenPictures, goldenQuestions } from '../golden-requests.ts';
import { type PeerRequest, userRequest } from '../peers/peer-request.ts';

const MOST_PICTURES = 2;
const MOST_QUESTIONS = 12;
const MOST_TOKENS = 32;

export class VariedRequests {
  readonly #random = new SeededRandom(20_000);

  next(): PeerRequest {
    const pictures = this.#several(this.#upTo(MOST_PICTURES), goldenPictures);
    const text = this.#several(1 + this.#upTo(MOST_QUESTIONS - 1), goldenQuestions).join(' ');
    const images = pictures.map((image) => ({ type: 'image', image }) as const);
    return userRequest([...images, { type: 'text', text }], 1 + this.#upTo(MOST_TOKENS - 1));
  }

  /** One in twenty callers leaves in the middle of the answer. */
  nextLeaves(): boolean {
    return this.#upTo(19) === 0;
  }

  #several(count: number, from: readonly string[]): string[] {
    return Array.from({ length: count }, () => from[this.#upTo(from.length - 1)] ?? '');
  }

  #upTo(most: number): number {
    return this.#random.nextUint32() % (most + 1);
  }
}
