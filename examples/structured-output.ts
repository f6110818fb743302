/**
 * Makes a typed object of a picture: the answer can be nothing but JSON that the schema accepts.
 *
 * Run it: node examples/structured-output.ts [picture]
 */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { Troupe } from '../src/index.ts'; // 'troupe' in your code

const picture = process.argv[2] ?? fileURLToPath(new URL('four-shapes.png', import.meta.url));

const schema = z.object({
  color: z.enum(['red', 'green', 'blue', 'purple']),
  shapes: z.int().min(0).max(9),
  background: z.object({ dark: z.boolean() }),
});

await using troupe = await Troupe.start();

const { object, usage } = await troupe.chat({
  messages: [
    {
      role: 'user',
      content: [
        { type: 'image', image: picture },
        { type: 'text', text: 'What is in this image?' },
      ],
    },
  ],
  schema,
});

const { color, shapes, background } = object; // 'red' | 'green' | …, number, { dark: boolean }
console.log(JSON.stringify({ color, shapes, background }));
console.log(`${usage.completionTokens} tokens generated`);
