/** An actor that is in the middle of something that must not be cut short when its process ends. */
import { type Blueprint, blueprint } from '../../../../runtime/blueprint.ts';
import { protocol, tell } from '../../../../runtime/protocol.ts';

/** What has happened, in shared memory. */
export const INSIDE = 0;
export const ENDING = 1;
export const DONE = 2;

export type Events = Int32Array<SharedArrayBuffer>;

export const nativeProtocol = protocol('native', {
  /** Goes inside, and leaves once the end has begun. */
  work: tell<Events>(),
});

export const nativeActor: Blueprint<typeof nativeProtocol, undefined> = blueprint(
  nativeProtocol,
  import.meta.url,
  './native-actor',
);

export function happen(events: Events, event: number): void {
  Atomics.store(events, event, 1);
  Atomics.notify(events, event);
}
