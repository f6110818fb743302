/**
 * Hashes four things on two threads, shows progress, and leaves one of them before it is done.
 *
 * Run it: node examples/actors/hash.ts
 */
import { ActorSystem } from '../../runtime/index.ts';
import { hasher } from './protocols.ts';

await using system = new ActorSystem();
const hashers = await system.spawn(hasher, undefined, { name: 'hasher', size: 2 });

async function hash(seed: number, leaveAfter = Number.POSITIVE_INFINITY): Promise<string> {
  const reader = hashers.stream('hash', { seed, blocks: 100 });
  for await (const done of reader) if (done >= leaveAfter) return `left after ${done} of 100`;
  return await reader.final;
}

const answers = await Promise.all([hash(1), hash(1), hash(2), hash(3, 10)]);
for (const [index, answer] of answers.entries()) console.log(index, answer.slice(0, 24));
