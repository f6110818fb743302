/**
 * Starts, asks and stops engines in the mode that it is given, one after the other, with everything that a caller may
 * leave behind; then writes what is still alive of them. Run with `--expose-gc`.
 */

import { getEventListeners } from 'node:events';
import { writeSync } from 'node:fs';
import type { Mode } from '../../../src/index.ts';
import { Troupe } from '../../../src/index.ts';
import { goldenMessages, goldens } from '../../support/golden.ts';
import { PILOT_MODEL } from '../../support/pilot-model.ts';
import { collected } from './collected.ts';

export interface CyclesReport {
  /** Engines that were started, and those that garbage collections have left. */
  readonly engines: number;
  readonly enginesAlive: number;
  /** Pieces of shared memory of 16 KiB or more: those of the first engine, most that there were at one time, and those that are left. */
  readonly firstMemories: number;
  readonly mostMemories: number;
  readonly memoriesAlive: number;
  readonly listeners: { readonly exit: number; readonly signal: number };
}

const CYCLES = 4;
const LARGE = 16 * 1024;

const memories: WeakRef<SharedArrayBuffer>[] = [];
let mostMemories = 0;
globalThis.SharedArrayBuffer = class extends SharedArrayBuffer {
  constructor(byteLength?: number) {
    super(byteLength);
    if (this.byteLength < LARGE) return;
    memories.push(new WeakRef(this));
    mostMemories = Math.max(mostMemories, alive(memories));
  }
};

const mode = process.argv[2] as Mode;
const engines: WeakRef<Troupe>[] = [];
/** Of a caller who has one signal for the whole life of the process. */
const { signal } = new AbortController();

engines.push(new WeakRef(await cycle()));
const firstMemories = memories.length;
for (let count = 1; count < CYCLES; count++) engines.push(new WeakRef(await cycle()));

await collected([...engines, ...memories]);
const report: CyclesReport = {
  engines: engines.length,
  enginesAlive: alive(engines),
  firstMemories,
  mostMemories,
  memoriesAlive: alive(memories),
  listeners: { exit: process.listenerCount('exit'), signal: getEventListeners(signal, 'abort').length },
};
writeSync(1, JSON.stringify(report));

function alive(references: readonly WeakRef<object>[]): number {
  return references.filter((reference) => reference.deref() !== undefined).length;
}

async function cycle(): Promise<Troupe> {
  const [one, other] = goldens;
  if (one === undefined || other === undefined) throw new Error('there are no goldens');
  const troupe = await Troupe.start({ model: PILOT_MODEL, mode, pd: { count: 2 }, signal });
  await troupe.chat({ messages: goldenMessages(one), signal });
  // A loop that is left, a stream that nobody reads, and questions that nobody waits for.
  for await (const _ of troupe.stream({ messages: goldenMessages(other), signal })) break;
  troupe.stream({ messages: goldenMessages(other), signal });
  troupe.stats().catch(() => {});
  troupe.clearCaches().catch(() => {});
  await troupe.stop();
  return troupe;
}
