/**
 * Refs that an actor is born with: to itself (`context.self`), and to who spawns for it. Each starts with a door to a pool: a
 * port by which a feed can be asked for. Only
 * an actor that wants the ref opens it, for a feed brings channels to all members.
 */
import { adoptPort } from '../transport/adopt.ts';
import type { PortToken } from '../transport/port.ts';
import type { RefEnvironment } from './environment.ts';
import type { PoolFacts, RefToken } from './ref-token.ts';

/** What a ref to one member of a pool is made of. */
export interface OwnRefToken {
  readonly facts: PoolFacts & { readonly only: string };
  readonly door: PortToken;
}

/** Asks for a feed. To be called once for each token. */
export function openDoor({ facts, door: token }: OwnRefToken): RefToken {
  const door = adoptPort(token);
  const [mine, theirs] = door.pair();
  const { token: port, transfer } = theirs.detach();
  door.post({ t: 'subscribe', port }, transfer);
  door.close();
  return { ...facts, feed: mine.detach().token };
}

/** The ref, made when it is first asked for. */
export function lazily<Ref>(token: () => OwnRefToken, environment: RefEnvironment): () => Ref {
  let ref: Ref | undefined;
  return () => {
    ref ??= environment.revive(openDoor(token())) as Ref; // what is revived from such a token is a ref
    return ref;
  };
}
