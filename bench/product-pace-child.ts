/**
 * An engine of one version, built, with the embedded model of this one: answers a number of questions about pictures.
 *
 *     node product-pace-child.ts VERSION_DIRECTORY MODE
 */
import { resolve } from 'node:path';
import process from 'node:process';
import { pathToFileURL } from 'node:url';
import type { Mode } from '../src/chat-types.ts';
import { EMBEDDED_MODEL } from './embedded-model.ts';
import { goldenPictures, goldenQuestions } from './golden-requests.ts';
import { changedPicture } from './peers/picture-request.ts';

export interface ProductTask {
  readonly callers: number;
  readonly requests: number;
  /** Of no other task, unless all requests are to have one picture, which has been seen before. */
  readonly firstPicture: number | undefined;
}

export interface ProductAnswer {
  readonly requestsPerSecond: number;
  /** Of all threads, for each request. */
  readonly cpuMs: number;
}

const MAX_TOKENS = 24;

const [directory = '', mode] = process.argv.slice(2);
const { Troupe } = (await import(
  pathToFileURL(resolve(directory, 'dist/src/index.js')).href
)) as typeof import('../src/index.ts'); // of another version, which has what is used here
const engine = await Troupe.start({ model: EMBEDDED_MODEL, mode: mode as Mode }); // said by product-pace.ts

async function picture(index: number): Promise<Uint8Array> {
  const path = goldenPictures[index % goldenPictures.length] ?? '';
  const [, base64 = ''] = (await changedPicture(path, index)).split(',');
  return Buffer.from(base64, 'base64');
}

async function answer({ callers, requests, firstPicture }: ProductTask): Promise<ProductAnswer> {
  const images = await Promise.all(
    Array.from({ length: requests }, (_, at) => picture(firstPicture === undefined ? 0 : firstPicture + at)),
  );
  const cpu = process.cpuUsage();
  const since = performance.now();
  let next = 0;
  const caller = async () => {
    for (let mine = next++; mine < requests; mine = next++) {
      const image = images[mine] ?? new Uint8Array();
      const text = goldenQuestions[mine % goldenQuestions.length] ?? '';
      const content = [{ type: 'image', image } as const, { type: 'text', text } as const];
      await engine.chat({ messages: [{ role: 'user', content }], maxTokens: MAX_TOKENS, temperature: 0 });
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const ms = performance.now() - since;
  const { user, system } = process.cpuUsage(cpu);
  return { requestsPerSecond: (1000 * requests) / ms, cpuMs: (user + system) / 1000 / requests };
}

process.on('message', (task: ProductTask) => {
  answer(task).then(
    (done) => process.send?.(done),
    (error: unknown) => process.send?.({ failed: String(error) }),
  );
});
process.send?.('ready');
