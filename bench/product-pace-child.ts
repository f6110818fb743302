/**
 * An engine of one version, built, with the embedded model of this one: answers a number of questions about pictures.
 *
 *     node product-pace-child.ts VERSION_DIRECTORY MODE
 */
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { Mode } from '../src/chat-types.ts';
import type { Troupe } from '../src/index.ts';
import { failureOf } from './asked-child.ts';
import { EMBEDDED_MODEL } from './embedded-model.ts';
import { goldenPictures, goldenQuestions } from './golden-requests.ts';
import { inCrowd } from './in-crowd.ts';
import { changedPicture } from './peers/picture-request.ts';

export interface ProductTask {
  readonly callers: number;
  readonly requests: number;
  /** Of no other task, unless all requests are to have one picture, which has been seen before. */
  readonly firstPicture: number | undefined;
}

export interface ProductAnswer {
  /** For each request. */
  readonly ms: number;
  /** Of all threads, for each request. */
  readonly cpuMs: number;
}

const MAX_TOKENS = 24;

const [directory = '', mode] = process.argv.slice(2);
try {
  const { Troupe } = (await import(
    pathToFileURL(resolve(directory, 'dist/src/index.js')).href
  )) as typeof import('../src/index.ts'); // of another version, which has what is used here
  const engine = await Troupe.start({ model: EMBEDDED_MODEL, mode: mode as Mode }); // checked where the engine starts
  process.on('message', async (task: ProductTask) => {
    process.send?.(await answer(engine, task).catch(failureOf));
  });
  process.send?.('ready');
} catch (error) {
  process.send?.(failureOf(error));
}

async function answer(
  engine: Troupe,
  { callers, requests, firstPicture }: ProductTask,
): Promise<ProductAnswer> {
  const asked = await Promise.all(
    Array.from({ length: requests }, async (_, at) => {
      const picture = firstPicture === undefined ? 0 : firstPicture + at;
      const image = await changedPicture(goldenPictures[picture % goldenPictures.length] ?? '', picture);
      const text = goldenQuestions[at % goldenQuestions.length] ?? '';
      const content = [{ type: 'image', image } as const, { type: 'text', text } as const];
      return { messages: [{ role: 'user', content } as const], maxTokens: MAX_TOKENS, temperature: 0 };
    }),
  );
  const cpu = process.cpuUsage();
  const since = performance.now();
  await inCrowd(asked, callers, (request) => engine.chat(request));
  const ms = performance.now() - since;
  const { user, system } = process.cpuUsage(cpu);
  return { ms: ms / requests, cpuMs: (user + system) / 1000 / requests };
}
