/** What one thread offers to the refs that live on it. Made once a thread. */
import type { LoadBoard } from '../board/load-board.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { OpenReaders } from '../stream/open-readers.ts';
import type { Reviver } from '../wire/payload-codec.ts';
import { ActorRef } from './actor-ref.ts';
import { RefCore } from './ref-core.ts';
import type { RefToken } from './ref-token.ts';

export interface RefEnvironment {
  readonly board: LoadBoard;
  readonly deadLetters: DeadLetters;
  /** Revives refs in payloads. */
  readonly revive: Reviver;
  /** Of the streams that the thread reads. */
  readonly readers: OpenReaders;
  /** The ref need not be waited for any more. */
  closed(core: RefCore): void;
}

/** Refs come in messages, and who was sent one may forget it: then its channels go too. */
const forgotten = new FinalizationRegistry<RefCore>((core) => core.release());

export function createRefEnvironment(board: LoadBoard, deadLetters: DeadLetters): RefEnvironment {
  const environment: RefEnvironment = {
    board,
    deadLetters,
    readers: new OpenReaders(),
    revive: (wire) => {
      // Only refs travel so, and only this runtime writes their tokens.
      const core = new RefCore(wire as RefToken, environment);
      const ref = new ActorRef(core);
      forgotten.register(ref, core, core);
      return ref;
    },
    // The registry would keep what is behind the ref, and the ref too: it is a receiver on the stack of the error of its end.
    closed: (core) => {
      forgotten.unregister(core);
    },
  };
  return environment;
}
