/** What the README says of the embedded model and of how it wants to be asked. */
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, it } from 'node:test';
import { type ChatMessage, Troupe } from '../../src/index.ts';
import { ROOT } from './markdown.ts';

/** What is in the example pictures, by what the README's table calls their kind. */
const KINDS: Readonly<
  Record<string, readonly [pictures: readonly string[], answers: Record<string, string>]>
> = {
  'one to six drawn shapes': [
    ['four-shapes.png'],
    {
      'What is in this image?':
        'There are four shapes on a tan background: a large red heart at the top left, a small blue ring at the top ' +
        'right, a large green star in the center and a small purple cross at the bottom left.',
      'How many shapes are there?': 'Four.',
      'What color is the ring?': 'Blue.',
      'Where is the ring?': 'At the top right.',
      'Is there a red circle?': 'No.',
      'Is the green star to the left of the blue ring?': 'Yes.',
      'What color is the background?': 'Tan.',
    },
  ],
  'one to three printed words, or a number': [
    ['open-sign.png'],
    { 'What does it say?': 'It says "Open Daily".', 'How many words are there?': 'Two.' },
  ],
  'a chart of up to six bars': [
    ['bar-chart.png'],
    {
      'What is in this image?': 'A bar chart: Tea 34, Milk 12, Rice 45 and Cake 27.',
      'Which bar is the highest?': 'Rice.',
      'Which bar has the value 12?': 'Milk.',
      'What value has Tea?': '34.',
      'Is Tea higher than Milk?': 'Yes.',
    },
  ],
  'a line or pie chart': [
    ['pie-chart.png'],
    { 'Which slice is the largest?': 'Car.', 'How much is Bike?': '25.' },
  ],
  'a receipt of up to four items': [
    ['receipt.png'],
    {
      'What is the total?': '7.55.',
      'How many items are there?': 'Three.',
      'How much is the Bread?': '3.20.',
      'As JSON: shop, items (name, price), total.':
        '{"shop":"Corner","items":[{"name":"Tea","price":2.5},{"name":"Bread","price":3.2},{"name":"Oat Milk","price":1.85}],"total":7.55}',
    },
  ],
  'two pictures of shapes': [
    ['before.png', 'after.png'],
    {
      'What is different?': 'The square on the right is blue in the first image and green in the second.',
      'Do both images show the same shapes?': 'No.',
      'Do both images have the same background?': 'Yes.',
    },
  ],
};

/** Asked about the other example picture of its kind. */
const OF_A_NUMBER = { question: 'What number is shown?', picture: 'number.png', answer: '4071.' };
const REFUSAL = 'I cannot tell from the image.';

const README = readFileSync(`${ROOT}README.md`, 'utf8');

function rowsOfTable(): [kind: string, questions: string[]][] {
  const table = README.match(/\| picture \| questions \|\n\|---\|---\|\n((?:\|.*\n)+)/)?.[1] ?? '';
  return table
    .trim()
    .split('\n')
    .map((row) => {
      const [, kind = '', questions = ''] = row.split('|').map((cell) => cell.trim());
      return [kind, [...questions.matchAll(/`([^`]+)`/g)].map(([, question = '']) => question)];
    });
}

const image = (name: string) => ({ type: 'image' as const, image: `${ROOT}examples/${name}` });
const text = (words: string) => ({ type: 'text' as const, text: words });

describe('what the README says of the embedded model', () => {
  let troupe: Troupe;
  before(async () => {
    troupe = await Troupe.start();
  });
  after(() => troupe.stop());

  const answer = async (messages: readonly ChatMessage[]): Promise<string> =>
    (await troupe.chat({ messages })).text;
  const ask = (pictures: readonly string[], question: string): Promise<string> =>
    answer([{ role: 'user', content: [...pictures.map(image), text(question)] }]);

  it('lists kinds of pictures and questions, all of which are known here', () => {
    assert.deepEqual(
      rowsOfTable().map(([kind, questions]) => [
        kind,
        questions.filter((one) => one !== OF_A_NUMBER.question),
      ]),
      Object.entries(KINDS).map(([kind, [, answers]]) => [kind, Object.keys(answers)]),
    );
  });

  for (const [kind, [pictures, answers]] of Object.entries(KINDS)) {
    for (const [question, right] of Object.entries(answers)) {
      it(`${kind}: ${question}`, async () => assert.equal(await ask(pictures, question), right));
    }
  }

  it('a number: What number is shown?', async () => {
    assert(README.includes(`\`${OF_A_NUMBER.question}\``));
    assert.equal(await ask([OF_A_NUMBER.picture], OF_A_NUMBER.question), OF_A_NUMBER.answer);
  });

  it('follow-ups: Where is it? How big is it?', async () => {
    const turns: ChatMessage[] = [
      { role: 'user', content: [image('four-shapes.png'), text('What shape is purple?')] },
      { role: 'assistant', content: 'A cross.' },
    ];
    const follow = (content: string) => answer([...turns, { role: 'user', content }]);
    assert.equal(await follow('Where is it?'), 'At the bottom left.');
    assert.equal(await follow('How big is it?'), 'Small.');
  });

  it('what is not there, and a photograph, it refuses', async () => {
    assert.equal(await ask(['four-shapes.png'], 'What color is the dog?'), REFUSAL);
    assert.equal(await ask(['landscape.jpg'], 'What is in this image?'), REFUSAL);
  });

  it('text may come first, and a system message', async () => {
    const { 'What is in this image?': right } = KINDS['one to six drawn shapes']?.[1] ?? {};
    const [picture, question] = [image('four-shapes.png'), text('What is in this image?')];
    const system: ChatMessage = { role: 'system', content: 'Answer like a pirate.' };
    for (const content of [
      [picture, question],
      [question, picture],
      [text('Look at this:'), picture, question],
    ]) {
      assert.equal(await answer([{ role: 'user', content }]), right);
      assert.equal(await answer([system, { role: 'user', content }]), right);
    }
  });

  it('behind a system message that asks for JSON, an answer about one picture is JSON', async () => {
    const system: ChatMessage = { role: 'system', content: 'Answer in JSON.' };
    const content = [image('receipt.png'), text('What is the total?')];
    const right = '{"answer":7.55}';
    assert(README.includes(`\`${system.content}\` an answer about one picture is \`${right}\``));
    assert.equal(await answer([system, { role: 'user', content }]), right);
    assert.equal(await answer([system, { role: 'user', content: content.toReversed() }]), right);
  });

  it('without a picture it says what it can do', async () => {
    for (const content of ['Hello!', 'What is 2 plus 2?', 'What is in this image?']) {
      assert.match(await answer([{ role: 'user', content }]), /^Send me a picture: /);
    }
  });
});
