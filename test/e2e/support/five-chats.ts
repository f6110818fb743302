/** A program as users write them: start, five chats, stop. Arguments: the model's folder, a picture, a question. */
import process from 'node:process';
import { Troupe } from '../../../src/index.ts';

const [model = '', image = '', text = ''] = process.argv.slice(2);

const troupe = await Troupe.start({ model });
for (let asked = 0; asked < 5; asked += 1) {
  const content = [
    { type: 'image', image },
    { type: 'text', text },
  ] as const;
  process.stdout.write(`${(await troupe.chat({ messages: [{ role: 'user', content }] })).text}\n`);
}
await troupe.stop();
