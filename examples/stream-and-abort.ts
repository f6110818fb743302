/**
 * Prints an answer as it is made, and stops another one after its third piece: leaving the loop is enough, the
 * model spends no further step on it. An AbortSignal does the same from elsewhere.
 *
 * Run it: node examples/stream-and-abort.ts
 */
import { readFile } from 'node:fs/promises';
import { type ChatOptions, Troupe } from '../src/index.ts'; // 'troupe' in your code

const picture = await readFile(new URL('four-shapes.png', import.meta.url));

const request: ChatOptions = {
  messages: [
    {
      role: 'user',
      content: [
        { type: 'image', image: new Uint8Array(picture) },
        { type: 'text', text: 'What do you see?' },
      ],
    },
  ],
};

await using troupe = await Troupe.start({ mode: 'disaggregated' });

const stream = troupe.stream(request);
for await (const { text } of stream) process.stdout.write(text);
const { usage, timings } = await stream.result;
console.log(`\n${usage.completionTokens} tokens, one every ${timings.interTokenMs.toFixed(1)} ms`);

let pieces = 0;
for await (const { text } of troupe.stream(request)) {
  process.stdout.write(text);
  pieces += 1;
  if (pieces === 3) break;
}
console.log(' … stopped');

const controller = new AbortController();
const aborted = troupe.chat({ ...request, signal: controller.signal });
controller.abort();
console.log(
  await aborted.then(
    () => 'answered',
    (error: Error) => error.message,
  ),
);
