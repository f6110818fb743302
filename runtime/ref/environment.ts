/** What one thread offers to the refs that live on it. Made once a thread. */
import type { LoadBoard } from '../board/load-board.ts';
import type { DeadLetters } from '../dead-letters.ts';
import type { ActorError } from '../errors.ts';
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
  /** What is behind a ref may lose messages from now on. */
  opened(core: RefCore): void;
  /** The ref need not be waited for any more. */
  closed(core: RefCore): void;
  /** What is behind a ref has nothing any more. */
  over(core: RefCore): void;
  /** The thread ends, with all its refs and the actor that lives on it. @param why what its messages are lost by */
  die(actor: string, why: ActorError): void;
}

/** Refs come in messages, and who was sent one may forget it: then its channels go too. */
const forgotten = new FinalizationRegistry<RefCore>((core) => core.release());

export function createRefEnvironment(board: LoadBoard, deadLetters: DeadLetters): RefEnvironment {
  const cores = new Set<RefCore>();
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
    opened: (core) => void cores.add(core),
    over: (core) => void cores.delete(core),
    die: (actor, why) => {
      for (const core of cores) core.die(actor, why);
    },
    // The registry would keep what is behind the ref, and the ref too: it is a receiver on the stack of the error of its end.
    closed: (core) => {
      forgotten.unregister(core);
    },
  };
  return environment;
}
