/** What becomes of an actor's life: what it held is taken back, its pools are stopped, and who listens is told. */
import type { GroupEvents } from '../supervision/group.ts';
import type { Events } from '../util/events.ts';
import type { Children } from './children.ts';
import type { Fleet } from './fleet.ts';
import type { SystemEvents } from './system-events.ts';

export function poolEvents(events: Events<SystemEvents>, fleet: Fleet, children: Children): GroupEvents {
  return {
    onUp: (actor) => events.emit('actor:up', { actor }),
    onDown: (actor, incarnation, exit) => {
      fleet.over(actor, incarnation, exit);
      children.orphan(incarnation.holder);
      const error = exit.kind === 'stopped' ? undefined : exit.error;
      events.emit('actor:down', { actor, error });
    },
    onRestarting: (actor, attempt, pauseMs) => events.emit('actor:restarting', { actor, attempt, pauseMs }),
    onEscalated: (actor, error) => events.emit('actor:escalated', { actor, error }),
    onQuarantined: (actor, incarnation, error) => {
      children.orphan(incarnation.holder);
      fleet.quarantined(incarnation, error);
      events.emit('actor:quarantined', { actor });
      events.emit('actor:down', { actor, error });
    },
    onEnded: (actor, incarnation, exit) => {
      fleet.over(actor, incarnation, exit);
      children.orphan(incarnation.holder); // of what it has spawned since
    },
  };
}
