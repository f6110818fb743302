/** Counts malloc's arenas before and after each of libuv's threads has been given one. */
import { readFileSync } from 'node:fs';
import { takePoolArenas } from '../../../src/pool-arenas.ts';

export interface PoolArenas {
  readonly before: number;
  readonly after: number;
}

/** glibc reserves an arena's address space in pieces of 64 MiB, at multiples of that, of which the beginning can be written. */
const HEAP_BYTES = 64n * 1024n * 1024n;

function arenas(): number {
  const maps = readFileSync('/proc/self/maps', 'latin1').split('\n');
  return maps.filter((line) => {
    const [, start = '1'] = /^([0-9a-f]+)-[0-9a-f]+ rw-p 00000000 00:00 0\s*$/.exec(line) ?? [];
    return BigInt(`0x${start}`) % HEAP_BYTES === 0n;
  }).length;
}

const before = arenas();
await takePoolArenas();
console.log(JSON.stringify({ before, after: arenas() } satisfies PoolArenas));
