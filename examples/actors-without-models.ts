/**
 * The actor runtime on its own: a word count by two pools of actors, one of which is crashed on the way.
 *
 *     main ──stream──▶ splitter ──ask──▶ counter/0, counter/1
 *
 * Run it: node examples/actors-without-models.ts
 */
import { readFile } from 'node:fs/promises';
import { ActorSystem } from '../runtime/index.ts'; // 'troupe/runtime' in your code
import { counter, splitter } from './word-count/protocols.ts';

const text = await readFile(new URL('./word-count/text.txt', import.meta.url), 'utf8');

await using system = new ActorSystem();
system.events.on('actor:restarting', ({ actor, attempt }) =>
  console.log(`${actor} restarts (attempt ${attempt})`),
);

const counters = await system.spawn(counter, undefined, { name: 'counter', size: 2 });
const splitters = await system.spawn(splitter, { counters }, { name: 'splitter' });

async function countWords(): Promise<void> {
  const reader = splitters.stream('countWords', { text });
  let words = 0;
  for await (const progress of reader) words += progress.words;
  const counts = Object.entries(await reader.final);
  const top = counts.sort(([a, m], [b, n]) => n - m || a.localeCompare(b)).slice(0, 5);
  console.log(
    `${words} words, ${counts.length} different:`,
    top.map(([word, n]) => `${word} ${n}`).join(', '),
  );
}

await countWords();

// An error that nobody handles ends the actor. Its supervisor starts it again; work that it had not begun waits
// in the senders' outboxes, so the second count is the same as the first.
const restarted = new Promise<void>((resolve) => {
  system.events.on('actor:up', ({ actor }) => actor === 'counter/0' && resolve());
});
system.crash('counter/0', 'a drill');
await Promise.all([countWords(), restarted]);

console.log(
  system
    .status()
    .map(({ name, state, restarts }) => `${name} ${state}, ${restarts} restarts`)
    .join('; '),
);
