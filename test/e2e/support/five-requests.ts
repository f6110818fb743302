/** `troupe serve`, five requests to it, and its end. Arguments: the model's folder, a picture, a question. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import process from 'node:process';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';

const BIN = fileURLToPath(new URL('../../../src/cli/bin.ts', import.meta.url));

const [model = '', image = '', text = ''] = process.argv.slice(2);
const url = `data:image/png;base64,${(await readFile(image)).toString('base64')}`;
const content = [
  { type: 'image_url', image_url: { url } },
  { type: 'text', text },
];

const server = spawn(process.execPath, [BIN, 'serve', '--model', model, '--port', '0'], {
  stdio: ['ignore', 'pipe', 'inherit'],
});
const exited = once(server, 'exit');
let listening = '';
for await (const line of createInterface({ input: server.stdout })) {
  const { msg, url: at } = JSON.parse(line);
  if (msg === 'listening') listening = at;
  if (msg === 'ready') break;
}
server.stdout.resume();
for (let asked = 0; asked < 5; asked += 1) {
  const answer = await fetch(`${listening}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ messages: [{ role: 'user', content }] }),
  });
  const { choices } = (await answer.json()) as { choices: { message: { content: string } }[] };
  process.stdout.write(`${choices[0]?.message.content}\n`);
}
server.kill('SIGTERM');
const [code] = await exited;
process.exitCode = code ?? 1;
