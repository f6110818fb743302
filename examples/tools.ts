/**
 * A loop of tools: the model calls functions, the program runs them and sends their results back.
 *
 * The embedded model never learned to call tools, so here its first turn has to call one; its arguments are held to their
 * schema. With a model that knows tools leave `toolChoice` out.
 *
 * Run it: node examples/tools.ts
 */
import { fileURLToPath } from 'node:url';
import { z } from 'zod';
import { type ChatMessage, type ToolChoice, Troupe, toolArguments } from '../src/index.ts'; // 'troupe' in your code

const stock = {
  name: 'stock',
  description: 'How many pieces of a color there are',
  parameters: z.object({ color: z.enum(['red', 'green', 'blue']) }),
};
const pieces = { red: 3, green: 0, blue: 12 };
const MOST_TURNS = 5;

await using troupe = await Troupe.start();

const image = fileURLToPath(new URL('four-shapes.png', import.meta.url));
const messages: ChatMessage[] = [
  {
    role: 'user',
    content: [
      { type: 'image', image },
      { type: 'text', text: 'What color is the ring?' },
    ],
  },
];

for (let turn = 0; turn < MOST_TURNS; turn++) {
  const toolChoice: ToolChoice = turn === 0 ? { name: stock.name } : 'auto';
  const { text, toolCalls = [] } = await troupe.chat({ messages, tools: [stock], toolChoice });
  if (toolCalls.length === 0) {
    console.log(`answer: ${text.trim()}`);
    break;
  }
  messages.push({ role: 'assistant', content: text, toolCalls });
  for (const call of toolCalls) {
    const { color } = await toolArguments(stock, call); // checked, and of the schema's type
    console.log(`${call.name}(${color}) = ${pieces[color]}`);
    messages.push({ role: 'tool', toolCallId: call.id, content: JSON.stringify({ pieces: pieces[color] }) });
  }
}
