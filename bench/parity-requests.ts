/** Prompts of every kind for the embedded model: one picture, two, none, a follow-up turn, a long text. */
import { goldenPictures, goldenQuestions, LONGEST_ANSWER } from './golden-requests.ts';
import type { Part, PeerMessage, PeerRequest } from './peers/peer-request.ts';

const QUESTIONS_A_PICTURE = 5;
const OF_EACH_OTHER_KIND = 15;
const LONG_TEXT_QUESTIONS = 40;

/** Kinds by turns, so that a part of the list holds all of them. */
export function parityRequests(): PeerRequest[] {
  const onePicture = goldenPictures.flatMap((_, index) =>
    Array.from({ length: QUESTIONS_A_PICTURE }, (_, turn) =>
      conversation(user(picture(index), question(QUESTIONS_A_PICTURE * index + turn))),
    ),
  );
  const others = Array.from({ length: OF_EACH_OTHER_KIND }, (_, index) => [
    conversation(user(picture(index), picture(index + 7), question(index))),
    conversation(user(question(index))),
    conversation(
      user(picture(index), question(index)),
      { role: 'assistant', content: [{ type: 'text', text: 'There is a ring.' }] },
      user(question(index + 5)),
    ),
    conversation(user(picture(index), longText(index))),
  ]).flat();
  return others
    .flatMap((other, index) => [other, ...onePicture.slice(index * 4, index * 4 + 4)])
    .concat(onePicture.slice(others.length * 4));
}

function conversation(...messages: PeerMessage[]): PeerRequest {
  return { messages, maxTokens: LONGEST_ANSWER };
}

function user(...content: Part[]): PeerMessage {
  return { role: 'user', content };
}

function picture(index: number): Part {
  return { type: 'image', image: goldenPictures[index % goldenPictures.length] ?? '' };
}

function question(index: number): Part {
  return { type: 'text', text: goldenQuestions[index % goldenQuestions.length] ?? '' };
}

/** Some hundred tokens, each text different from its beginning on. */
function longText(index: number): Part {
  const questions = Array.from(
    { length: LONG_TEXT_QUESTIONS },
    (_, turn) => goldenQuestions[(index + turn) % goldenQuestions.length],
  );
  return { type: 'text', text: questions.join(' ') };
}
