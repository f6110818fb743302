import { readFileSync } from 'node:fs';
import {
  type ChatMessage,
  type ChatOptions,
  type ChatResult,
  type ImageInput,
  inspectModel,
  Troupe,
} from 'troupe';
import { ActorSystem, ask, blueprint, protocol } from 'troupe/runtime';
import { serve, type TroupeServer } from 'troupe/server';

const images: ImageInput[] = [
  'a.png',
  new URL('https://example.org/a.png'),
  readFileSync('a.png'),
  new Uint8Array(3),
  new ArrayBuffer(3),
  new SharedArrayBuffer(3),
  new DataView(new ArrayBuffer(3)),
  new Blob([]),
  new File([], 'a.png'),
];
export async function main(): Promise<unknown[]> {
  const server: TroupeServer = await serve({ port: 0, limits: { maxImages: 2 }, log: { level: 'warn' } });
  const troupe: Troupe = await Troupe.start({
    mode: 'aggregated',
    onProgress: ({ phase }) => phase,
    signal: new AbortController().signal,
  });
  const messages: ChatMessage[] = [
    {
      role: 'user',
      content: [
        ...images.map((image) => ({ type: 'image' as const, image })),
        { type: 'text', text: 'What?' },
      ],
    },
  ];
  const options: ChatOptions = { messages, signal: AbortSignal.timeout(5) };
  const result: ChatResult = await troupe.chat(options);
  for await (const { text } of troupe.stream(options)) text.trim();
  troupe.events.on('actor:up', ({ actor }) => actor.trim());
  // @ts-expect-error there is no such mode
  await Troupe.start({ mode: 'both' });
  // @ts-expect-error a number is no image
  const wrong: ImageInput = 5;
  const greeter = protocol('greeter', { greet: ask<string, string>() });
  const system = new ActorSystem();
  const ref = await system.spawn(blueprint(greeter, import.meta.url, './greeter'), undefined, {
    name: 'greeter',
  });
  const greeting: string = await ref.ask('greet', 'you');
  return [server.url, result.usage.imageTokens, greeting, wrong, await inspectModel()];
}
