/**
 * Prompts of every kind for the embedded model: its goldens, one picture, two, none, a follow-up turn, a long text; then
 * questions before a picture and behind system messages.
 */
import { goldenPictures, goldenQuestions, goldenRequests, LONGEST_ANSWER } from './golden-requests.ts';
import type { Part, PeerMessage, PeerRequest } from './peers/peer-request.ts';

const WITH_ONE_PICTURE = 160;
const OF_EACH_OTHER_KIND = 15;
const OF_EACH_LAYOUT = 60;
const SYSTEM_MESSAGES = ['You are a helpful assistant.', 'Be brief.'];
const LONG_TEXT_QUESTIONS = 40;
const FOR_A_LOOK = 30;

/** Of the suites that compare texts: some for a short look, else all. */
export function comparedRequests({ quick }: { readonly quick: boolean }): PeerRequest[] {
  return parityRequests().slice(0, quick ? FOR_A_LOOK : undefined);
}

/** Each once; kinds by turns, so that a part of the list holds all of them, then layouts by turns. */
export function parityRequests(): PeerRequest[] {
  const onePicture = Array.from({ length: WITH_ONE_PICTURE }, (_, index) =>
    conversation(user(picture(index), questionAfter(index))),
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
  const lists = [goldenRequests, onePicture, others];
  const longest = Math.max(...lists.map((list) => list.length));
  const byTurns = Array.from({ length: longest }, (_, index) =>
    lists.flatMap((list) => list.slice(index, index + 1)),
  ).flat();
  const all = [...byTurns, ...laidOutRequests()];
  return [...new Map(all.map((request) => [JSON.stringify(request.messages), request])).values()];
}

/** As people lay out a question about a picture, beside the picture first and no system message. */
function laidOutRequests(): PeerRequest[] {
  return Array.from({ length: OF_EACH_LAYOUT }, (_, index) => {
    const asked = questionAfter(index);
    return [
      conversation(user(asked, picture(index))),
      ...SYSTEM_MESSAGES.map((text) => conversation(system(text), user(picture(index), asked))),
      conversation(system(SYSTEM_MESSAGES[index % 2] ?? ''), user(asked, picture(index))),
    ];
  }).flat();
}

function conversation(...messages: PeerMessage[]): PeerRequest {
  return { messages, maxTokens: LONGEST_ANSWER };
}

function user(...content: Part[]): PeerMessage {
  return { role: 'user', content };
}

function system(text: string): PeerMessage {
  return { role: 'system', content: [{ type: 'text', text }] };
}

function picture(index: number): Part {
  return { type: 'image', image: goldenPictures[index % goldenPictures.length] ?? '' };
}

function question(index: number): Part {
  return { type: 'text', text: goldenQuestions[index % goldenQuestions.length] ?? '' };
}

/** Another one each time that the pictures come round. */
function questionAfter(index: number): Part {
  const round = Math.floor(index / goldenPictures.length);
  return question((index % goldenPictures.length) + round);
}

/** Some hundred tokens, each text different from its beginning on. */
function longText(index: number): Part {
  const questions = Array.from(
    { length: LONG_TEXT_QUESTIONS },
    (_, turn) => goldenQuestions[(index + turn) % goldenQuestions.length],
  );
  return { type: 'text', text: questions.join(' ') };
}
