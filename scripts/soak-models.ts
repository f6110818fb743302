/** `npm run soak:models`: a server with memory for one of its two models, asked for one and the other; memory must not grow. */
import { readFileSync } from 'node:fs';
import { pino } from 'pino';
import { DEFAULT_MODEL_DIRECTORY } from '../src/index.ts';
import { serve, type TroupeServer } from '../src/server/index.ts';
import { flagsOf } from './flags.ts';
import { type Memory, memory } from './soak/own-memory.ts';

/** From here on memory must be flat: what is made once in a process has been made. */
const SETTLED_AT = 10;
const REPORT_EVERY = 10;
const MOST_RESERVED_MB = 256;
/** What malloc keeps for threads that come and go, and garbage that V8 has not collected yet. */
const MOST_ANONYMOUS_MB = 150;

const HELP = `Usage: npm run soak:models -- [options]

Starts a server of two models with memory for one, and asks four clients' questions of one and of the other, so that each round
unloads one model and loads the other. Every answer has to be the one that its model gives alone. Memory may not grow after the
tenth switch: by ${MOST_RESERVED_MB} MB reserved and ${MOST_ANONYMOUS_MB} MB anonymous at most. Linux only.

Options:
  --switches N  (default: 100)
  --help        show this
`;

const { switches } = flagsOf(HELP, { switches: { type: 'string', default: '100' } });

const MODELS = [
  { name: 'q4', model: DEFAULT_MODEL_DIRECTORY, dtype: 'q4', memoryBytes: 2 },
  { name: 'fp32', model: DEFAULT_MODEL_DIRECTORY, dtype: 'fp32', memoryBytes: 2 },
] as const;
const CLIENTS = 4;
const picture = readFileSync(new URL('../examples/four-shapes.png', import.meta.url)).toString('base64');

async function ask(server: TroupeServer, model: string): Promise<string> {
  const content = [
    { type: 'image_url', image_url: { url: `data:image/png;base64,${picture}` } },
    { type: 'text', text: 'What is in this image?' },
  ];
  const response = await fetch(`${server.url}/v1/chat/completions`, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({ model, messages: [{ role: 'user', content }], temperature: 0 }),
  });
  const body = JSON.parse(await response.text());
  if (response.status !== 200 || body.model !== model) throw new Error(JSON.stringify(body));
  return body.choices[0].message.content;
}

const count = Number(switches);
await using server = await serve({
  ...{ models: MODELS, modelsMemoryBytes: 3, port: 0, drainMs: 0, logger: pino({ level: 'silent' }) },
});
const alone = new Map<string, string>();
for (const { name } of MODELS) alone.set(name, await ask(server, name));
let settled: Memory | undefined;
for (let number = 1; number <= count; number++) {
  const { name } = MODELS[number % 2 === 0 ? 1 : 0] ?? MODELS[0];
  const answers = await Promise.all(Array.from({ length: CLIENTS }, () => ask(server, name)));
  for (const answer of answers) if (answer !== alone.get(name)) throw new Error(`${name} said ${answer}`);
  if (number === SETTLED_AT) settled = memory();
  if (number === 1 || number % REPORT_EVERY === 0) {
    const { reserved, anonymous } = memory();
    console.log(`switch ${number}: reserved ${reserved} MB, anonymous ${anonymous} MB`);
  }
}
if (settled === undefined) throw new Error(`--switches: at least ${SETTLED_AT}`);
const now = memory();
const reserved = now.reserved - settled.reserved;
const anonymous = now.anonymous - settled.anonymous;
const isFlat = reserved <= MOST_RESERVED_MB && anonymous <= MOST_ANONYMOUS_MB;
console.log(
  `${count * CLIENTS} requests, none lost; grown since switch ${SETTLED_AT} by ${reserved} MB reserved, ` +
    `${anonymous} MB anonymous: ${isFlat ? 'flat' : 'NOT FLAT'}`,
);
process.exitCode = isFlat ? 0 : 1;
