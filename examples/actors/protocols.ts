/** The actors of the programs in this folder: what each understands, and where its module is. */
import { type ActorRef, ask, blueprint, protocol, stream, tell } from '../../runtime/index.ts'; // 'troupe/runtime' in your code

/** Hashes a number of blocks; says how many are done, and ends with the digest in hexadecimal. */
export const hasherProtocol = protocol('hasher', {
  hash: stream<{ readonly seed: number; readonly blocks: number }, number, string>(),
});
export const hasher = blueprint<typeof hasherProtocol, undefined>(
  hasherProtocol,
  import.meta.url,
  './hasher-actor',
);

/** One step of a pipeline: does its part, and hands the reader's stream on to the next. */
export const stageProtocol = protocol('stage', { run: stream<readonly string[], string, number>() });
export interface StageArgs {
  readonly work: 'trim' | 'shout';
  readonly next?: ActorRef<typeof stageProtocol>;
}
export const stage = blueprint<typeof stageProtocol, StageArgs>(
  stageProtocol,
  import.meta.url,
  './stage-actor',
);

/** Counts by key; each key belongs to one member of the pool. */
export const shardProtocol = protocol('shard', {
  add: tell<string>(),
  count: ask<string, number>(),
  keys: ask<void, readonly string[]>(),
});
export const shard = blueprint<typeof shardProtocol, undefined>(
  shardProtocol,
  import.meta.url,
  './shard-actor',
);

/** Does a job, except that every third kills it. */
export const flakyProtocol = protocol('flaky', { job: ask<number, string>() });
export const flaky = blueprint<typeof flakyProtocol, undefined>(
  flakyProtocol,
  import.meta.url,
  './flaky-actor',
);

/** Inverts pixels, and gives back the memory that it was given. */
export const inverterProtocol = protocol('inverter', { invert: ask<ArrayBuffer, ArrayBuffer>() });
export const inverter = blueprint<typeof inverterProtocol, undefined>(
  inverterProtocol,
  import.meta.url,
  './inverter-actor',
);
