/**
 * Asks two questions about a picture; the second one in the same conversation.
 *
 * Run it: node examples/describe-image.ts [picture]
 */
import { fileURLToPath } from 'node:url';
import { type ChatMessage, Troupe } from '../src/index.ts'; // 'troupe' in your code

const picture = process.argv[2] ?? fileURLToPath(new URL('four-shapes.png', import.meta.url));

await using troupe = await Troupe.start();

const messages: ChatMessage[] = [
  {
    role: 'user',
    content: [
      { type: 'image', image: picture },
      { type: 'text', text: 'What do you see?' },
    ],
  },
];
const first = await troupe.chat({ messages });
console.log(first.text);

messages.push(
  { role: 'assistant', content: first.text },
  { role: 'user', content: 'What color is the background?' },
);
const second = await troupe.chat({ messages });
console.log(second.text);

const { promptTokens, imageTokens, completionTokens } = second.usage;
console.log(`${promptTokens} prompt tokens (${imageTokens} of them image), ${completionTokens} generated`);
console.log(`first token after ${second.timings.timeToFirstTokenMs.toFixed(1)} ms`);
