/** The requests of suites on the embedded model: pictures, questions and conversations of its test set. */
import { type DefaultGolden, defaultGoldenImage, defaultGoldens } from '../test/support/default-golden.ts';
import type { PeerMessage, PeerRequest } from './peers/peer-request.ts';

/** More than any answer of the embedded model. */
export const LONGEST_ANSWER = 160;

if (defaultGoldens.length === 0) throw new Error('golden.json is empty');

/** Paths, each once. */
export const goldenPictures: readonly string[] = [
  ...new Set(defaultGoldens.flatMap(({ images }) => images.map(defaultGoldenImage))),
];
/** Each once. */
export const goldenQuestions: readonly string[] = [
  ...new Set(defaultGoldens.map(({ question }) => question)),
];

export const goldenRequests: readonly PeerRequest[] = defaultGoldens.map(requestOf);

/** Those with one picture and one question; no two have the same picture. */
export const onePictureRequests: readonly PeerRequest[] = defaultGoldens
  .filter(({ images, history }) => images.length === 1 && history.length === 0)
  .map(requestOf);

/** Requests by turns; each side of a comparison has its own cycle, so that all answer the same requests. */
export class RequestCycle {
  readonly #requests: readonly PeerRequest[];
  #next = 0;

  /** @param requests default: all goldens */
  constructor(requests: readonly PeerRequest[] = goldenRequests) {
    this.#requests = requests;
  }

  take(count: number): PeerRequest[] {
    return Array.from({ length: count }, () => {
      const request = this.#requests[this.#next++ % this.#requests.length];
      if (request === undefined) throw new Error('golden.json is empty');
      return request;
    });
  }
}

/** The pictures come with the first question. */
function requestOf({ images, history, question }: DefaultGolden): PeerRequest {
  const texts = [...history.flatMap((turn) => [turn.question, turn.answer]), question];
  const messages = texts.map((text, turn): PeerMessage => {
    const pictures = images.map((name) => ({ type: 'image', image: defaultGoldenImage(name) }) as const);
    const content = [...(turn === 0 ? pictures : []), { type: 'text', text } as const];
    return { role: turn % 2 === 0 ? 'user' : 'assistant', content };
  });
  return { messages, maxTokens: LONGEST_ANSWER };
}
