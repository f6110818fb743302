/** What one thread offers to the refs that live on it. Made once a thread. */
import type { LoadBoard } from '../board/load-board.ts';
import type { DeadLetters } from '../dead-letters.ts';
import { OpenReaders } from '../stream/open-readers.ts';
import { ActorRef, type RefEnvironment } from './actor-ref.ts';
import type { RefToken } from './ref-token.ts';

export function createRefEnvironment(board: LoadBoard, deadLetters: DeadLetters): RefEnvironment {
  const environment: RefEnvironment = {
    board,
    deadLetters,
    readers: new OpenReaders(),
    // The only marked values on the wire are refs, and only this runtime marks them.
    revive: (wire) => new ActorRef(wire as RefToken, environment),
  };
  return environment;
}
