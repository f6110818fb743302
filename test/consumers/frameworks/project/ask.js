/** What every project here does: asks about a picture, given in each way that needs no file. */
import { readFileSync } from 'node:fs';

export const { question, answer } = JSON.parse(readFileSync('expected.json', 'utf8'));

/** The answers, and the code that a wrong request is refused with. */
export async function askAll({ Troupe }) {
  const bytes = readFileSync('picture.png');
  const troupe = await Troupe.start();
  const { signal } = new AbortController();
  const ask = async (image) => {
    const content = [
      { type: 'image', image },
      { type: 'text', text: question },
    ];
    const { text } = await troupe.chat({ messages: [{ role: 'user', content }], signal });
    return text.trim();
  };
  try {
    const answers = [];
    for (const image of ['picture.png', bytes, new Uint8Array(bytes), new Blob([bytes])])
      answers.push(await ask(image));
    const refusal = await ask('no-such.png').catch(({ name, code }) => ({ name, code }));
    return { answers, refusal };
  } finally {
    await troupe.stop();
  }
}

export const EXPECTED = {
  answers: [answer, answer, answer, answer],
  refusal: { name: 'InputError', code: 'IMAGE_NOT_FOUND' },
};
